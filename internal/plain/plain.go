package plain

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Escape makes foreign text safe to show on one line: control characters, invalid UTF-8
// and characters that change the direction of writing are spelled as escapes. Everything
// else is unchanged.
func Escape(s string) string {
	if strings.IndexFunc(s, Unsafe) < 0 && utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[0])
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\r':
			b.WriteString(`\r`)
		case Unsafe(r) && r < 0x100:
			fmt.Fprintf(&b, `\x%02x`, r)
		case Unsafe(r) && r < 0x10000:
			fmt.Fprintf(&b, `\u%04x`, r)
		case Unsafe(r):
			fmt.Fprintf(&b, `\U%08x`, r)
		default:
			b.WriteRune(r)
		}
		s = s[size:]
	}
	return b.String()
}

// Unsafe reports control characters (C0, DEL, C1), line and paragraph separators, and
// the marks that reorder or hide text on a terminal: all of Unicode's format characters but
// the joiners, without which some scripts and emoji are not themselves, and the few that are
// seen.
func Unsafe(r rune) bool {
	switch {
	case r < 0x7f:
		return r < ' '
	case r == 0x200c, r == 0x200d: // joiners
		return false
	}
	return unicode.IsControl(r) || unicode.In(r, unicode.Zl, unicode.Zp) ||
		unicode.Is(unicode.Cf, r) && !unicode.Is(unicode.Prepended_Concatenation_Mark, r)
}

// Strip drops what Escape would spell out. Blanks stay as they are.
func Strip(s string) string {
	return strings.Map(func(r rune) rune {
		if Unsafe(r) || r == utf8.RuneError {
			return -1
		}
		return r
	}, s)
}

// Line makes one line of at most limit bytes, an ellipsis apart: runs of blanks and
// control characters become one blank, and what cannot be printed is dropped.
func Line(s string, limit int) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r) || unicode.IsControl(r):
			return ' '
		case r == utf8.RuneError || !unicode.IsPrint(r):
			return -1
		}
		return r
	}, s)
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > limit {
		s = strings.ToValidUTF8(s[:limit], "") + "…"
	}
	return s
}
