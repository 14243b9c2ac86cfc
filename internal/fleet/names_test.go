package fleet

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mngr/internal/agent"
)

// A create does not fail because nobody can say whether its host has a namesake, but says so.
func TestACreateThatCannotLookForANamesakeGoesOn(t *testing.T) {
	for name, cloud := range map[string]Machines{"no answer": blindCloud{}, "an old list": staleCloud{}} {
		synctest.Test(t, func(t *testing.T) {
			f := &Fleet{Now: time.Now}
			made := Created{Host: agent.Host{Name: "x"}}
			if err := f.stays(t.Context(), Instance{Machines: cloud}, &made, func(string) {}); err != nil || len(made.Warnings) != 1 {
				t.Errorf("%s: %v, %q", name, err, made.Warnings)
			}
		})
	}
}

type blindCloud struct{ Machines }

func (blindCloud) Name() string                                { return "p" }
func (blindCloud) Names(context.Context) ([]agent.Host, error) { return nil, errors.New("no answer") }

// staleCloud is one whose list does not show yet what was just made.
type staleCloud struct{ Machines }

func (staleCloud) Name() string                                { return "p" }
func (staleCloud) Names(context.Context) ([]agent.Host, error) { return nil, nil }

// What a create could not remove is named by its id: another host may have the name, and the
// hint must not lead to that one.
func TestWhatCannotBeUndoneIsNamedByItsID(t *testing.T) {
	f := &Fleet{Now: time.Now}
	made := agent.Host{ID: "host-1", Name: "x", Provider: "p"}
	for name, failed := range map[string]error{
		"told":   (&agent.Error{Kind: agent.KindRemains, Cause: "it is still there"}).WithHint("mngr destroy --force @host-1 # before that: wait"),
		"untold": errors.New("lost"),
	} {
		err := f.undo(t.Context(), stuck{err: failed}, made, CreateOptions{Name: "x"}, agent.Errorf(agent.KindExists, "somebody else"), func(string) {})
		hint := agent.HintOf(err)
		if agent.KindOf(err) != agent.KindRemains || !strings.HasPrefix(hint, "mngr destroy --force @host-1") || name == "told" != strings.HasSuffix(hint, "wait") {
			t.Errorf("%s: %v, hint %q", name, err, hint)
		}
	}
}

// stuck is a machine that cannot be removed.
type stuck struct {
	Creation
	err error
}

func (s stuck) Undo(context.Context, agent.Progress) error { return s.err }
