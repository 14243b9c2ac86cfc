package shell

import (
	"fmt"
	"strings"
)

// Split splits like a POSIX shell: blanks, quotes and backslashes, nothing else.
func Split(s string) ([]string, error) {
	var words []string
	var word strings.Builder
	inWord := false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == ' ' || c == '\t' || c == '\n':
			if inWord {
				words, inWord = append(words, word.String()), false
				word.Reset()
			}
		case c == '\'' || c == '"':
			n, ok := quoted(s[i+1:], c, &word)
			if !ok {
				return nil, fmt.Errorf("%q has a quote without its end", s)
			}
			i, inWord = i+n, true
		case c == '\\' && i+1 == len(s):
			return nil, fmt.Errorf("%q ends with a backslash", s)
		case c == '\\':
			i++
			word.WriteByte(s[i])
			inWord = true
		default:
			word.WriteByte(c)
			inWord = true
		}
	}
	if inWord {
		words = append(words, word.String())
	}
	return words, nil
}

// quoted copies up to the closing quote and returns how many bytes it passed.
func quoted(s string, quote byte, to *strings.Builder) (int, bool) {
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == quote:
			return i + 1, true
		case quote == '"' && s[i] == '\\' && i+1 < len(s) && strings.IndexByte(`"\$`+"`", s[i+1]) >= 0:
			i++
		}
		to.WriteByte(s[i])
	}
	return 0, false
}
