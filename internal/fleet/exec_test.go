package fleet

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"mngr/internal/agent"
)

// chatty is a guest whose command writes so much on each stream.
type chatty struct {
	Guests
	out, errs int
}

func (c *chatty) DialRetry(context.Context, agent.Host, Place, func(error)) (Guest, error) {
	return c, nil
}
func (*chatty) Close() error { return nil }

func (c *chatty) Run(_ context.Context, command Command) (int, error) {
	_, outErr := io.Copy(command.Stdout, io.LimitReader(zeros{}, int64(c.out))) // as SSH connections do
	_, errsErr := io.Copy(command.Stderr, io.LimitReader(zeros{}, int64(c.errs)))
	return 3, errors.Join(outErr, errsErr)
}

// What a container writes without end does not fill this machine's memory, and who reads the
// rest is told that it is one.
func TestWhatACommandSaidIsBounded(t *testing.T) {
	for name, c := range map[string]struct {
		out, errs int
		cut       bool
	}{
		"little":           {5, 7, false},
		"as much as fits":  {MaxSaid, MaxSaid, false},
		"too much output":  {MaxSaid + 1, 0, true},
		"too many errors":  {0, 2 * MaxSaid, true},
		"too much of both": {3 * MaxSaid, 3 * MaxSaid, true},
	} {
		h := host("h", agent.HostRunning, "a")
		f := &Fleet{Now: time.Now, Guests: &chatty{out: c.out, errs: c.errs}}
		said, err := f.ExecKept(t.Context(), rowsOf(h)[0], ExecOptions{Line: "yes"})
		if err != nil || said.Code != 3 || said.Cut != c.cut {
			t.Errorf("%s: code %d, cut %v, %v", name, said.Code, said.Cut, err)
		}
		if len(said.Stdout) != min(c.out, MaxSaid) || len(said.Stderr) != min(c.errs, MaxSaid) {
			t.Errorf("%s: kept %d and %d bytes", name, len(said.Stdout), len(said.Stderr))
		}
	}
}
