package shell

import (
	"os/exec"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestQuoteSurvivesARealShell(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.StringMatching(`[^\x00]{0,40}`).Draw(t, "word")
		out, err := exec.Command("sh", "-c", "printf %s "+Quote(want)).Output()
		if err != nil || string(out) != want {
			t.Fatalf("sh made %q of %q: %v", out, want, err)
		}
	})
}

// Whatever is quoted for a shell comes back as one word.
func TestSplitUndoesQuote(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOf(rapid.String()).Draw(t, "words")
		line := ""
		for _, w := range words {
			line += Quote(w) + " "
		}
		got, err := Split(line)
		if err != nil {
			t.Fatal(err)
		}
		if len(words) == 0 {
			words = nil
		}
		if diff := cmp.Diff(words, got); diff != "" {
			t.Fatal(diff)
		}
	})
}
