package agent

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A phase that passes its deadline says so by its name, whatever its end broke.
func TestWithinNamesThePhase(t *testing.T) {
	refused := errors.New("connection refused")
	for name, c := range map[string]struct {
		returned func(context.Context) error
		kind     Kind
		text     string
	}{
		"the bare end":   {func(ctx context.Context) error { return ctx.Err() }, KindTimeout, "waiting for x: not done within 2m"},
		"wrapped":        {func(ctx context.Context) error { return fmt.Errorf("read: %w", ctx.Err()) }, KindTimeout, "waiting for x: not done within 2m"},
		"a program":      {func(context.Context) error { return errors.New("signal: killed") }, KindTimeout, "waiting for x: not done within 2m"},
		"why so long":    {func(context.Context) error { return Errorf(KindUnreachable, "ssh: %w", refused).WithHint("look") }, KindTimeout, "waiting for x: not done within 2m: ssh: connection refused"},
		"something left": {func(context.Context) error { return Errorf(KindRemains, "a disk is left") }, KindRemains, "a disk is left"},
		"another phase":  {func(context.Context) error { return Errorf(KindTimeout, "y: too long") }, KindTimeout, "y: too long"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				err := phase(t.Context(), func(ctx context.Context) error {
					<-ctx.Done()
					return c.returned(ctx)
				})
				if KindOf(err) != c.kind || err.Error() != c.text {
					t.Errorf("got %s: %v", KindOf(err), err)
				}
				if took := time.Since(begin); took != 2*time.Minute {
					t.Errorf("it took %s", took)
				}
				if name == "why so long" && (HintOf(err) != "look" || !errors.Is(err, refused)) {
					t.Errorf("the hint is %q; %#v", HintOf(err), err)
				}
			})
		})
	}
}

func phase(ctx context.Context, do func(context.Context) error) (err error) {
	ctx, done := Within(ctx, DeadlineAccept, "waiting for x")
	defer done(&err)
	return do(ctx)
}

// What ends before, and what its caller ends, is left alone.
func TestWithinIsSilentBefore(t *testing.T) {
	if err := phase(t.Context(), func(context.Context) error { return nil }); err != nil {
		t.Error(err)
	}
	broken := errors.New("broken")
	if err := phase(t.Context(), func(context.Context) error { return broken }); !errors.Is(err, broken) {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := phase(ctx, func(ctx context.Context) error {
		if Passed(ctx) {
			t.Error("no deadline has passed")
		}
		return ctx.Err()
	})
	if !errors.Is(err, context.Canceled) || KindOf(err) == KindTimeout {
		t.Error(err)
	}
	// The deadline of the caller is the caller's to name.
	synctest.Test(t, func(t *testing.T) {
		outer, done := Within(t.Context(), DeadlineGuestReply, "outer")
		inner := phase(outer, func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
		done(&inner)
		if got := inner.Error(); got != "outer: not done within 10s" || !Passed(outer) {
			t.Error(got)
		}
	})
}

func TestTell(t *testing.T) {
	Tell(t.Context(), "nobody listens")
	var said []string
	ctx := WithProgress(t.Context(), func(phase string) { said = append(said, phase) })
	Tell(context.WithoutCancel(WithProgress(ctx, nil)), "waiting")
	if strings.Join(said, ";") != "waiting" {
		t.Errorf("said %q", said)
	}
}

func TestDeadlineString(t *testing.T) {
	for d, want := range map[Deadline]string{DeadlineTry: "70s", DeadlineAccept: "2m", DeadlineProbe: "3s", DeadlineOperation: "30m"} {
		if d.String() != want {
			t.Errorf("%s, want %s", d, want)
		}
	}
}
