package plain

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzEscape: nothing that a terminal obeys gets through, clean text stays, and escaping
// twice is escaping once. Strip lets as little through.
func FuzzEscape(f *testing.F) {
	for _, seed := range []string{"", "plain – text 日本", "\x1b[31m", "a\nb\tc\r", "\xff\xc2", "\u009b", "\u202e\u2066\u200f\ufeff", "\U000e0041\u00ad\u2060", "\u0600 क्\u200dष"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		escaped, stripped := Escape(s), Strip(s)
		for _, got := range []string{escaped, stripped} {
			if strings.ContainsFunc(got, Unsafe) || !utf8.ValidString(got) {
				t.Fatalf("%q became %q", s, got)
			}
		}
		if Escape(escaped) != escaped {
			t.Fatalf("escaping %q twice is another thing", s)
		}
		if utf8.ValidString(s) && !strings.ContainsFunc(s, Unsafe) && escaped != s {
			t.Fatalf("clean text %q became %q", s, escaped)
		}
	})
}

// The lists are Unicode's, the examples are attacks.
func TestUnsafe(t *testing.T) {
	for _, r := range "\x00\a\x1b\r\x7f\u0085\u009b\u00ad\u061c\u180e\u200b\u200e\u2028\u202e\u2060\u2066\ufeff\ufff9\U0001d173\U000e0041" {
		if !Unsafe(r) {
			t.Errorf("%U is shown", r)
		}
	}
	for _, r := range "a ~ä日\u0600\u200c\u200d\u00a0\ufe0f😀�" {
		if Unsafe(r) {
			t.Errorf("%U is not shown", r)
		}
	}
	if got := Escape("a\U000e0041b\u202e"); got != `a\U000e0041b\u202e` {
		t.Errorf("Escape = %q", got)
	}
}

func TestLine(t *testing.T) {
	for _, c := range []struct {
		s     string
		limit int
		want  string
	}{
		{"", 10, ""},
		{"  a\n\tb\r\n", 10, "a b"},
		{"\x1b[31mred\x1b[0m", 20, "[31mred [0m"},
		{"a\x00b\xffc\u202ed\u200be", 20, "a bcde"},
		{"12345", 5, "12345"},
		{"123456", 5, "12345…"},
		{"日本", 4, "日…"},
	} {
		if got := Line(c.s, c.limit); got != c.want {
			t.Errorf("Line(%q, %d) = %q, want %q", c.s, c.limit, got, c.want)
		}
	}
}

func TestStripKeepsBlanks(t *testing.T) {
	if got := Strip("  a\x1b  b\u202e"); got != "  a  b" {
		t.Errorf("got %q", got)
	}
}
