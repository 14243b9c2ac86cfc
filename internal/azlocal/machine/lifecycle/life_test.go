package lifecycle

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"mngr/internal/azlocal/machine"
)

// TestAwait waits for a guest that reports, one that ends, and one that does neither.
func TestAwait(t *testing.T) {
	for name, c := range map[string]struct {
		happens func(*life)
		want    error
	}{
		"reports": {(*life).reported, nil},
		"ends":    {(*life).end, errEnded},
		"neither": {func(*life) {}, machine.ErrNotReported},
	} {
		synctest.Test(t, func(t *testing.T) {
			l := newLife()
			go func() {
				time.Sleep(time.Minute)
				c.happens(l)
			}()
			if err := l.await(t.Context()); !errors.Is(err, c.want) {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
}
