package agent

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// A quick wait is never shown; a long one is, from PatienceUnshown to its end.
func TestPatiently(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var said []string
		ctx := WithPatience(t.Context(), func(phase string, since time.Time) func() {
			said = append(said, fmt.Sprintf("%s for %s", phase, time.Since(since)))
			return func() { said = append(said, phase+" is over") }
		})
		over := Patiently(ctx, "quick")
		time.Sleep(PatienceUnshown - time.Millisecond)
		over()
		time.Sleep(time.Minute)
		if len(said) > 0 {
			t.Errorf("a quick wait: %q", said)
		}
		over = Patiently(ctx, "long")
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if want := []string{"long for 3s"}; !slices.Equal(said, want) {
			t.Errorf("a long wait: %q, want %q", said, want)
		}
		over()
		over()
		if want := []string{"long for 3s", "long is over"}; !slices.Equal(said, want) {
			t.Errorf("after its end: %q, want %q", said, want)
		}
		Patiently(context.Background(), "to nobody")()
	})
}
