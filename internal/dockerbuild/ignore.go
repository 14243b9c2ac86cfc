package dockerbuild

import (
	"bytes"
	"fmt"
	"path"
	"path/filepath"
	"regexp"
	"strings"
)

// Ignore holds the rules of a .dockerignore file
// (https://docs.docker.com/build/concepts/context/#dockerignore-files). The zero value
// ignores nothing.
type Ignore struct {
	patterns   []pattern
	exceptions bool // some pattern begins with "!"
}

type pattern struct {
	exception bool
	matches   *regexp.Regexp
}

// ParseIgnore reads the rules of a file, one a line.
func ParseIgnore(content []byte) (Ignore, error) {
	var rules Ignore
	content = bytes.TrimPrefix(content, []byte("\xef\xbb\xbf"))
	number := 0
	for line := range strings.Lines(string(content)) {
		number++
		if strings.HasPrefix(line, "#") {
			continue
		}
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		p, err := parsePattern(line)
		if err != nil {
			return Ignore{}, fmt.Errorf("line %d: %w", number, err)
		}
		rules.patterns = append(rules.patterns, p)
		rules.exceptions = rules.exceptions || p.exception
	}
	return rules, nil
}

func parsePattern(line string) (pattern, error) {
	text, marked := strings.CutPrefix(line, "!")
	if text = strings.TrimSpace(text); text != "" {
		text = path.Clean(text)
	}
	if len(text) > 1 {
		text = strings.TrimPrefix(text, "/")
	}
	if marked {
		text = "!" + text
	}
	// Docker reads the cleaned line once more, so that /!x is an exception as well.
	text, exception := strings.CutPrefix(path.Clean(strings.TrimSpace(text)), "!")
	if text == "" {
		return pattern{}, fmt.Errorf("%q excepts nothing", line)
	}
	// Docker takes what Go's own matcher takes, and translates it.
	if _, err := filepath.Match(text, "."); err != nil {
		return pattern{}, fmt.Errorf("%q: %w", line, err)
	}
	matches, err := regexp.Compile(expression(text))
	if err != nil {
		return pattern{}, fmt.Errorf("%q is no pattern", line)
	}
	return pattern{exception, matches}, nil
}

// expression translates a pattern: * and ? stop at a slash, ** does not, and [classes] are
// those of a regular expression.
func expression(text string) string {
	// Docker takes a leading ** before nothing but letters for "ends with".
	if rest, ok := strings.CutPrefix(text, "**"); ok && !strings.ContainsAny(rest, `*?[]\`) && !strings.HasPrefix(rest, "/") {
		return `(?s)^.*` + regexp.QuoteMeta(rest) + `$`
	}
	var b strings.Builder
	b.WriteString(`(?s)^`)
	class := false
	for runes := []rune(text); len(runes) > 0; {
		r := runes[0]
		runes = runes[1:]
		switch {
		case r == '\\' && len(runes) > 0:
			b.WriteString(regexp.QuoteMeta(string(runes[0])))
			runes = runes[1:]
		case class:
			class = r != ']'
			b.WriteRune(r)
		case r == '[':
			class = true
			b.WriteRune(r)
		case r == '*' && len(runes) > 0 && runes[0] == '*':
			runes = runes[1:]
			if len(runes) > 0 && runes[0] == '/' {
				runes = runes[1:]
			}
			if len(runes) == 0 {
				b.WriteString(`.*`)
			} else {
				b.WriteString(`(.*/)?`)
			}
		case r == '*':
			b.WriteString(`[^/]*`)
		case r == '?':
			b.WriteString(`[^/]`)
		default:
			b.WriteString(regexp.QuoteMeta(string(r)))
		}
	}
	b.WriteString(`$`)
	return b.String()
}

// Excludes tells whether a file or directory stays behind: the last pattern decides that
// matches it, or a directory that it lies in. The path is relative, with slashes.
func (i Ignore) Excludes(name string) bool {
	excluded := false
	for _, p := range i.patterns {
		if p.exception == excluded && p.reaches(name) {
			excluded = !p.exception
		}
	}
	return excluded
}

func (p pattern) reaches(name string) bool {
	for ; name != "."; name = path.Dir(name) {
		if p.matches.MatchString(name) {
			return true
		}
	}
	return false
}

// SkipsBelow tells whether nothing below an excluded directory can be excepted.
func (i Ignore) SkipsBelow() bool { return !i.exceptions }
