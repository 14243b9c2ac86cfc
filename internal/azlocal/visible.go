package azlocal

import (
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf16"
)

// obeyed tells what a terminal acts on or hides instead of showing it. Any user of this
// computer, and any machine, may send a request, which is then in the log.
func obeyed(r rune) bool {
	return unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp)
}

// visible spells out in JSON's way what would be obeyed, line breaks and tabs included.
func visible(s string) string {
	if strings.IndexFunc(s, obeyed) < 0 {
		return strings.ToValidUTF8(s, "\uFFFD")
	}
	var b strings.Builder
	for _, r := range s {
		if !obeyed(r) {
			b.WriteRune(r)
			continue
		}
		for _, unit := range utf16.Encode([]rune{r}) {
			fmt.Fprintf(&b, `\u%04x`, unit)
		}
	}
	return b.String()
}

// jsonOut passes JSON on that is written in whole values, whose strings may hold anything;
// line breaks stand between them only.
type jsonOut struct{ io.Writer }

func (o jsonOut) Write(p []byte) (int, error) {
	lines := strings.SplitAfter(string(p), "\n")
	for i, line := range lines {
		text, broken := strings.CutSuffix(line, "\n")
		lines[i] = visible(text)
		if broken {
			lines[i] += "\n"
		}
	}
	if _, err := io.WriteString(o.Writer, strings.Join(lines, "")); err != nil {
		return 0, err
	}
	return len(p), nil
}
