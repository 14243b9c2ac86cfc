package guestimage

import (
	"log/slog"
	"os"
	"testing"
)

func TestTryBuild(t *testing.T) {
	c := NewCache("/var/cache/mngr-azlocal", slog.New(slog.NewTextHandler(os.Stderr, nil)))
	for _, k := range []Kind{Stock, Baked} {
		ref, err := c.Ensure(t.Context(), k, func(s string) { t.Log(s) })
		t.Log(ref, err)
	}
}
