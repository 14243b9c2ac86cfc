package chaos

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"mngr/e2e/rig"
)

// verb is a command in a situation.
type verb struct {
	name  string
	args  []string
	setup bool                                // it is about what prepare makes, which goes afterwards
	bare  bool                                // nothing is prepared before it
	given func(context.Context, *scene) error // makes the situation; nil: nothing
	want  func(*scene, rig.Listing) error     // holds once the command has succeeded
	then  func(*scene, rig.Listing) error     // the same, repeated after trouble; nil: as want
	ways  []way                               // what an operator may do after trouble

	guest bool // somebody answers at the machine's SSH port, with a key that is not the host's
	fails bool // the command cannot succeed without a guest, and says so
	again bool // repeated after it has succeeded, it may say that it was done
	makes []string
	ends  []string // agents that it destroys
}

// verbs are the writing commands, as far as they go where no machine boots.
func verbs() []verb {
	local := func(args ...string) []string { return append(args, "--provider", rig.Provider) }
	create := createArgs("a")
	attached := []string{"create", "a", "--provider", rig.Provider, "--transfer", "none", "--no-connect", "--", "true"}
	hostOf := func(make func(*scene, context.Context, string) error, names ...string) func(context.Context, *scene) error {
		return func(ctx context.Context, s *scene) error {
			for _, name := range names {
				if err := make(s, ctx, name); err != nil {
					return err
				}
			}
			return nil
		}
	}
	three := []way{repeat, destroy, leave}
	two := []way{repeat, destroy}
	return []verb{
		{name: "prepare", args: local("azure", "prepare"), setup: true, bare: true, want: always, ways: two},
		{name: "prepare-region", args: local("azure", "prepare", "--region", "westus"), setup: true, want: always, ways: two},
		{name: "prepare-sources", args: local("azure", "prepare", "--allowed-ssh-cidr", "203.0.113.4/32"), setup: true, want: always, ways: two},
		{name: "cleanup", args: local("azure", "cleanup"), setup: true, want: always, ways: []way{repeat}},

		{name: "create-no-wait", args: create, want: exactly("a"), ways: three, again: true, makes: []string{"a"}},
		{name: "create-undone", args: attached, guest: true, fails: true, want: exactly(), then: among("a"), ways: three},
		{name: "create-over-unfinished", args: attached, given: hostOf((*scene).create, "a"), guest: true, fails: true, want: exactly("a"), ways: two},
		{name: "create-over-failed", args: create, given: hostOf((*scene).failed, "a"), want: exactly("a"), ways: two, again: true, ends: []string{"a"}, makes: []string{"a"}},

		{name: "start", args: []string{"start", "a"}, given: hostOf((*scene).deallocated, "a"), want: billing("compute"), ways: two},
		{name: "start-no-wait", args: []string{"start", "a", "--no-wait"}, given: hostOf((*scene).deallocated, "a"), want: billing("compute"), ways: two},
		{name: "start-unfinished", args: []string{"start", "a"}, given: hostOf((*scene).create, "a"), guest: true, fails: true, want: exactly("a"), ways: two},
		{name: "stop", args: []string{"stop", "a"}, given: hostOf((*scene).finished, "a"), want: billing("storage"), ways: two},
		{name: "stop-host", args: []string{"stop", "a", "--stop-host"}, given: hostOf((*scene).create, "a"), want: billing("storage"), ways: two},
		{name: "stop-no-wait", args: []string{"stop", "@a", "--no-wait"}, given: hostOf((*scene).finished, "a"), want: billing("storage"), ways: two},

		{name: "destroy", args: []string{"destroy", "--force", "a"}, given: hostOf((*scene).create, "a"), want: exactly(), ways: []way{repeat, leave}, ends: []string{"a"}},
		{name: "destroy-several", args: []string{"destroy", "--force", "a", "b"}, given: hostOf((*scene).create, "a", "b", "c"), want: exactly("c"), ways: []way{repeat}, ends: []string{"a", "b"}},
		{name: "label", args: []string{"label", "a", "team=x"}, given: hostOf((*scene).finished, "a"), want: labelled("team", "x"), ways: two},
		{name: "rename", args: []string{"rename", "a", "b"}, given: hostOf((*scene).finished, "a"), want: exactly("b"), ways: two, again: true, makes: []string{"b"}, ends: []string{"a"}},
		{name: "rename-host", args: []string{"rename", "@a", "crate"}, given: hostOf((*scene).finished, "a"), want: onHost("crate"), ways: two, again: true},
		{name: "gc", args: []string{"gc"}, given: func(ctx context.Context, s *scene) error { return s.leftovers(ctx) }, want: exactly(), ways: []way{repeat}},
		{name: "gc-tag", args: []string{"gc", "--tag", "purpose=ci", "--older-than", "0s", "--force"}, given: tagged, want: exactly("b"), ways: []way{repeat}, ends: []string{"a"}},
	}
}

// tagged makes two hosts, of which one has a user's tag.
func tagged(ctx context.Context, s *scene) error {
	args := slices.Insert(createArgs("a"), 2, "--tag", "purpose=ci")
	if err := s.who.Must(ctx, nil, args...); err != nil {
		return err
	}
	s.known = append(s.known, "a")
	if _, err := s.settled(ctx); err != nil {
		return err
	}
	return s.create(ctx, "b")
}

func always(*scene, rig.Listing) error { return nil }

// exactly wants these agents and no others.
func exactly(names ...string) func(*scene, rig.Listing) error {
	return func(_ *scene, l rig.Listing) error {
		if got := agentNames(l); !slices.Equal(got, names) && len(got)+len(names) > 0 {
			return fmt.Errorf("agents %q, want %q", got, names)
		}
		return nil
	}
}

// among wants no agents but these. A create that cannot succeed here leaves none; where the
// first was killed, the next one finishes the first one's host, and lets it be.
func among(names ...string) func(*scene, rig.Listing) error {
	return func(_ *scene, l rig.Listing) error {
		for _, name := range agentNames(l) {
			if !slices.Contains(names, name) {
				return fmt.Errorf("agent %s, want none but %q", name, names)
			}
		}
		return nil
	}
}

func agentNames(l rig.Listing) []string {
	var names []string
	for _, a := range l.Agents {
		names = append(names, a.Name)
	}
	slices.Sort(names)
	return names
}

// billing wants the one host to be billed so.
func billing(kind string) func(*scene, rig.Listing) error {
	return func(_ *scene, l rig.Listing) error {
		if len(l.Hosts) != 1 || l.Hosts[0].Billing != kind {
			return fmt.Errorf("want one host billed for %s: %+v", kind, l.Hosts)
		}
		return nil
	}
}

func labelled(key, value string) func(*scene, rig.Listing) error {
	return func(_ *scene, l rig.Listing) error {
		if len(l.Agents) != 1 || l.Agents[0].Labels[key] != value {
			return fmt.Errorf("want one agent with %s=%s: %+v", key, value, l.Agents)
		}
		return nil
	}
}

func onHost(name string) func(*scene, rig.Listing) error {
	return func(_ *scene, l rig.Listing) error {
		if len(l.Hosts) != 1 || l.Hosts[0].Name != name {
			return fmt.Errorf("want the host %s: %+v", name, l.Hosts)
		}
		return nil
	}
}

// errNotHit says that no call of a command met the fault that was meant for it.
var errNotHit = errors.New("the fault was not hit")
