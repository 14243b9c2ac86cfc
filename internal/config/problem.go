package config

import (
	"fmt"
	"strings"

	"mngr/internal/agent"
)

// Problem is a setting that cannot work.
type Problem struct {
	Origin Origin
	Key    string // "" when the file as a whole is meant
	fault
}

// Error is one line: where, which key, why.
func (p *Problem) Error() string {
	if p.Key == "" {
		return fmt.Sprintf("%s: %s", p.Origin, p.cause)
	}
	return fmt.Sprintf("%s: %s: %s", p.Origin, p.Key, p.cause)
}

// Unwrap shows the problem as a usage error with its remedy.
func (p *Problem) Unwrap() error {
	return &agent.Error{Kind: agent.KindUsage, Cause: p.Error(), Hint: p.hint}
}

// unknown explains why a key is refused.
func unknown(s *Settings, path []string) fault {
	if why, ok := refused(path); ok {
		return why
	}
	var keys []string
	for _, f := range s.fields() {
		keys = append(keys, f.key)
	}
	if len(path) >= 3 && path[0] == "providers" {
		keys = keys[:0]
		for _, f := range newProvider(path[1]).fields() {
			keys = append(keys, "providers."+path[1]+"."+f.key)
		}
	}
	hint := "mngr config list --all # shows the keys that exist"
	if near := nearest(strings.Join(path, "."), keys); near != "" {
		hint = fmt.Sprintf("mngr config list --all # shows the keys that exist; did you mean %q?", near)
	}
	return fault{"no such key", hint}
}

// nearest returns the word with the fewest edits from s, if they are few.
func nearest(s string, words []string) string {
	best, limit := "", 4
	for _, w := range words {
		if more := len(s) - len(w); max(more, -more) >= limit {
			continue // a long one would take its time
		}
		if d := distance(s, w); d < limit {
			best, limit = w, d
		}
	}
	return best
}

// distance counts the insertions, deletions and substitutions between two strings.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			substitution := diagonal
			if a[i] != b[j] {
				substitution++
			}
			diagonal = row[j+1]
			row[j+1] = min(substitution, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
