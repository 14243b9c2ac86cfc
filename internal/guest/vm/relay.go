package vm

import (
	"fmt"
	"io"
	"regexp"
	"strings"
)

// relay passes on what another program says, line by line and fit for a terminal, and keeps
// the last lines.
type relay struct {
	to     io.Writer
	prefix string
	keep   int
	hidden []string // values that must not be shown

	line  []byte
	lines []string
}

// mostLine is how much of one line is passed on.
const mostLine = 2000

func (r *relay) Write(b []byte) (int, error) {
	for _, c := range b {
		switch {
		case c == '\n' || c == '\r': // a carriage return begins a progress bar anew
			r.flush()
		case len(r.line) < mostLine:
			r.line = append(r.line, c)
		}
	}
	return len(b), nil
}

func (r *relay) flush() {
	text := plainLine(string(r.line))
	r.line = r.line[:0]
	for _, value := range r.hidden {
		text = strings.ReplaceAll(text, value, "***")
	}
	if text == "" {
		return
	}
	r.lines = append(r.lines, text)
	r.lines = r.lines[max(0, len(r.lines)-r.keep):]
	fmt.Fprintf(r.to, "%s%s\n", r.prefix, text)
}

// last is the last line that says something.
func (r *relay) last() string {
	for i := len(r.lines) - 1; i >= 0; i-- {
		if strings.Trim(r.lines[i], "- ") != "" {
			return r.lines[i]
		}
	}
	return ""
}

// escapes are ECMA-48 control sequences, and strings such as a window's title.
var escapes = regexp.MustCompile("\x1b(\\[[0-?]*[ -/]*[@-~]|\\][^\x07\x1b]*(\x07|\x1b\\\\)?|[@-Z\\\\^_])")

// plainLine keeps a line's own blanks and drops its control sequences.
func plainLine(s string) string {
	s = escapes.ReplaceAllString(strings.ToValidUTF8(s, "?"), "")
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0:
			return -1
		}
		return r
	}, s)
	return strings.TrimRight(s, " ")
}
