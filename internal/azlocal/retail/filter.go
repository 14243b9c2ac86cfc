package retail

import (
	"regexp"
	"strings"
)

// Terms of a filter; in a quoted value two quotes stand for one.
var (
	equals   = regexp.MustCompile(`^\s*([A-Za-z]+)\s+eq\s+'((?:[^']|'')*)'`)
	contains = regexp.MustCompile(`^\s*contains\(\s*([A-Za-z]+)\s*,\s*'((?:[^']|'')*)'\s*\)`)
	also     = regexp.MustCompile(`^\s+and\s`)
)

// parse reads a $filter: terms that are joined by and. ok is false for anything else, also
// for "or", which the documentation does not show.
func parse(text string, exact bool) (keep func(item) bool, ok bool) {
	var terms []func(item) bool
	for rest := strings.TrimSpace(text); rest != ""; {
		part, match := equals.FindStringSubmatch(rest), equal
		if part == nil {
			part, match = contains.FindStringSubmatch(rest), strings.Contains
		}
		if part == nil {
			return nil, false
		}
		name, want := strings.ToLower(part[1]), strings.ReplaceAll(part[2], "''", "'")
		if _, known := (item{}).field(name); !known {
			return nil, false
		}
		terms = append(terms, func(i item) bool {
			have, _ := i.field(name)
			if !exact {
				return match(strings.ToLower(have), strings.ToLower(want))
			}
			return match(have, want)
		})
		if rest = rest[len(part[0]):]; strings.TrimSpace(rest) == "" {
			break
		}
		and := also.FindString(rest)
		if rest = strings.TrimSpace(rest[len(and):]); and == "" || rest == "" {
			return nil, false
		}
	}
	return func(i item) bool {
		for _, term := range terms {
			if !term(i) {
				return false
			}
		}
		return true
	}, true
}

func equal(a, b string) bool { return a == b }
