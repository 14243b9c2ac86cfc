package fleet

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mngr/internal/agent"
)

// sluggish is a machine whose address takes its time, whose operation never ends, and whose
// mngrd never answers.
type sluggish struct {
	Creation
	Guests
}

func (sluggish) Wait(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

func (sluggish) Address(ctx context.Context) (string, error) {
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case <-time.After(25 * time.Minute):
		return "192.0.2.1", nil
	}
}

func (sluggish) Trust(agent.Host) (agent.HostKeys, error) { return agent.HostKeys{}, nil }
func (sluggish) EnsureKey(string) (string, error)         { return "ssh-ed25519 AAAA", nil }
func (s sluggish) DialRetry(context.Context, agent.Host, Place, func(error)) (Guest, error) {
	return sluggishGuest{}, nil
}

type sluggishGuest struct{}

func (sluggishGuest) Close() error { return nil }
func (sluggishGuest) Run(ctx context.Context, c Command) (int, error) {
	if strings.HasPrefix(c.Line, "uname") {
		_, err := fmt.Fprintln(c.Stdout, "x86_64\nmngrd-1")
		return 0, err
	}
	<-ctx.Done()
	return 0, agent.Errorf(agent.KindUnreachable, "no answer: %w", ctx.Err())
}

// At 45 minutes a machine that nobody has finished deallocates itself, and a colleague may
// remove it: its create gives up before that, however its waits add up.
func TestACreateEndsBeforeItsMachineDoes(t *testing.T) {
	if left := agent.AgeAbandoned - time.Duration(agent.DeadlineCreate); left < 5*time.Minute {
		t.Errorf("%s are left", left)
	}
	synctest.Test(t, func(t *testing.T) {
		h, began := host("h", agent.HostCreating, "a"), time.Now()
		f := &Fleet{Now: time.Now, Guests: sluggish{}, GuestBinary: func(string) ([]byte, string, error) { return nil, "1", nil }}
		_, err := f.complete(t.Context(), Instance{Machines: &atAzure{}}, sluggish{}, &h, CreateOptions{Name: "a"}, func(string) {})
		if agent.KindOf(err) != agent.KindTimeout || !strings.Contains(err.Error(), "making host h: not done within 40m") || !strings.Contains(agent.HintOf(err), "--image") {
			t.Errorf("%v, hint %q", err, agent.HintOf(err))
		}
		if lasted := time.Since(began); lasted != time.Duration(agent.DeadlineCreate) {
			t.Errorf("after %s", lasted)
		}
	})
}
