package chaos

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"time"

	"mngr/e2e/rig"
)

// patience is after which time a command hangs. mngr waits for minutes where Azure needs
// them; here nothing asks for more than a second, and the longest wait of mngr's own after
// trouble is for a part that a machine left.
const patience = 60 * time.Second

// run makes one attempt in a world. The error is of the test's own doing, or errNotHit.
func (w *world) run(ctx context.Context, a attempt) ([]Finding, error) {
	s, err := w.stage(ctx, a.verb)
	if err != nil {
		return nil, fmt.Errorf("set the scene: %w", err)
	}
	farewell, err := s.meet(ctx, a.verb)
	if err != nil {
		return nil, err
	}
	defer farewell()
	found, err := s.trouble(ctx, a)
	if err != nil {
		return found, err
	}
	after, err := s.after(ctx, a)
	return append(found, after...), err
}

// stage makes the situation in which a verb is used.
func (w *world) stage(ctx context.Context, v verb) (*scene, error) {
	if err := w.prepare(ctx, !v.bare); err != nil {
		return nil, err
	}
	if v.bare { // a subscription that nobody has used
		if err := w.azure.Set(ctx, map[string]string{"registered": "false"}); err != nil {
			return nil, err
		}
	}
	who, err := w.somebody("operator")
	if err != nil {
		return nil, err
	}
	s := &scene{world: w, who: who}
	if v.given == nil {
		return s, nil
	}
	return s, v.given(ctx, s)
}

// meet puts a stranger at the machines' SSH ports where a verb needs one; leave sends it away.
func (s *scene) meet(ctx context.Context, v verb) (leave func(), err error) {
	if !v.guest {
		return func() {}, nil
	}
	other, err := newStranger()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	served := make(chan error, 1)
	go func() { served <- other.serve(ctx, s.azure) }()
	return func() {
		cancel()
		<-served //nolint:errcheck // it ends because it is told to
	}, nil
}

// trouble runs the command and lets it meet its trouble.
func (s *scene) trouble(ctx context.Context, a attempt) ([]Finding, error) {
	before, err := s.azure.Mark()
	if err != nil {
		return nil, err
	}
	fault := a.trouble.fault
	fault.On, fault.Nth, fault.Times = a.call.operation, a.call.nth, 1
	id, err := s.azure.AddFault(ctx, fault)
	if err != nil {
		return nil, err
	}
	p, err := s.who.Start(ctx, a.verb.args...)
	if err != nil {
		return nil, err
	}
	hit := true
	if a.trouble.signal != 0 {
		hit, err = s.signal(ctx, p, id, before, a.trouble.signal)
	}
	r := p.Wait()
	if err == nil && a.trouble.signal == 0 {
		hit, err = s.wasHit(ctx, id)
	}
	if err == nil && !hit {
		err = errNotHit
	}
	if err != nil {
		return nil, fmt.Errorf("%w\n%s", err, r)
	}
	s.known = slices.DeleteFunc(s.known, func(name string) bool { return slices.Contains(a.verb.ends, name) })
	if r.Code == 0 {
		s.known = append(s.known, a.verb.makes...)
	}
	if err := s.azure.ClearFaults(ctx); err != nil || a.trouble.signal == syscall.SIGKILL {
		return nil, err
	}
	found := wordsOf(r)
	if len(found) == 0 && r.Code != 0 && a.passing() && !a.verb.fails {
		found = []Finding{{Else, "it does not try again\n" + r.String()}}
	}
	return found, nil
}

// signal sends a signal to a command while its call is held. One that is killed has gone
// when this returns, and the local Azure knows it. One that is interrupted gets its answer.
func (s *scene) signal(ctx context.Context, p *rig.Process, fault string, since rig.Mark, sig syscall.Signal) (hit bool, err error) {
	hit, err = s.azure.AwaitHit(ctx, fault, p)
	if err != nil || !hit {
		return false, err
	}
	if err := p.Signal(sig); err != nil {
		return true, err
	}
	if sig != syscall.SIGKILL {
		return true, s.azure.ClearFaults(ctx)
	}
	p.Wait()
	return true, awaitEnd(ctx, s.azure, fault, since)
}

func (s *scene) wasHit(ctx context.Context, fault string) (bool, error) {
	hits, err := s.azure.Hits(ctx, fault)
	return hits > 0, err
}

// awaitEnd waits until the log says that the call which met a fault has ended.
func awaitEnd(ctx context.Context, azure *rig.Azure, fault string, since rig.Mark) error {
	ctx, cancel := context.WithTimeout(ctx, settleLimit)
	defer cancel()
	for {
		all, err := azure.Log(since)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(all, func(e rig.Entry) bool { return e.Fault == fault && e.Method != "" }) {
			return nil
		}
		if err := pause(ctx); err != nil {
			return fmt.Errorf("the call that met fault %s does not end: %w", fault, err)
		}
	}
}

// after looks, at what bills and costs too, and does what an operator does after trouble.
func (s *scene) after(ctx context.Context, a attempt) ([]Finding, error) {
	l, found, err := s.compare(ctx)
	if err != nil {
		return found, err
	}
	found = append(found, s.lost(l)...)
	more, err := s.costs(ctx)
	found = append(found, more...)
	if err != nil {
		return found, err
	}
	if a.way == repeat {
		more, err := s.repeat(ctx, a.verb)
		found = append(found, more...)
		if err != nil {
			return found, err
		}
	}
	more, err = s.remove(ctx, a)
	return append(found, more...), err
}

// repeat runs the command again, which has to do what it is for.
func (s *scene) repeat(ctx context.Context, v verb) ([]Finding, error) {
	r, err := s.who.Run(ctx, v.args...)
	if err != nil {
		return nil, err
	}
	found := wordsOf(r)
	if len(found) == 0 && r.Code != 0 && !v.again && !v.fails {
		found = []Finding{{Else, "repeated, it fails\n" + r.String()}}
	}
	if r.Code == 0 {
		s.known = append(s.known, v.makes...)
	}
	l, more, err := s.compare(ctx)
	if err != nil {
		return found, err
	}
	want := v.want
	if v.then != nil {
		want = v.then
	}
	if wrong := want(s, l); wrong != nil {
		more = append(more, Finding{Else, fmt.Sprintf("repeated, it did not do it: %v\n%s", wrong, r)})
	}
	return slices.Concat(found, more, s.lost(l)), nil
}

// remove destroys what there is, or leaves it to gc an hour later, and wants nothing to be
// left.
func (s *scene) remove(ctx context.Context, a attempt) ([]Finding, error) {
	var found []Finding
	if a.way != leave {
		more, err := s.destroyAll(ctx)
		found = append(found, more...)
		if err != nil {
			return found, err
		}
	}
	more, err := s.collect(ctx)
	found = append(found, more...)
	if err != nil || len(found) > 0 {
		return found, err
	}
	return s.undress(ctx, a.verb)
}

func (s *scene) destroyAll(ctx context.Context) ([]Finding, error) {
	l, err := s.who.List(ctx)
	if err != nil || len(l.Hosts) == 0 {
		return nil, err
	}
	args := []string{"destroy", "--force"}
	for _, h := range l.Hosts {
		args = append(args, "@"+h.Name)
	}
	r, err := s.who.Run(ctx, args...)
	found := wordsOf(r)
	if len(found) == 0 && r.Code != 0 {
		found = []Finding{{Else, "destroy fails\n" + r.String()}}
	}
	return found, err
}

// collect lets an hour pass and gc work where anything is left.
func (s *scene) collect(ctx context.Context) ([]Finding, error) {
	left, files, err := s.left(ctx)
	if err != nil || left+files == "" {
		return nil, err
	}
	if err := s.older(ctx); err != nil {
		return nil, err
	}
	if err := s.olderFiles(); err != nil {
		return nil, err
	}
	r, err := s.who.Run(ctx, "gc")
	if err != nil {
		return nil, err
	}
	found := wordsOf(r)
	if len(found) == 0 && r.Code != 0 {
		found = []Finding{{Else, "gc fails\n" + r.String()}}
	}
	left, files, err = s.left(ctx)
	if left+files != "" {
		found = append(found, Finding{Leak, fmt.Sprintf("left: %s %s\n%s", left, files, r)})
	}
	return found, err
}

// left names what belongs to hosts, once nothing goes by itself any more, and the files that
// this operator's machine keeps of hosts.
func (s *scene) left(ctx context.Context) (resources, files string, err error) {
	until := time.Now().Add(500 * time.Millisecond)
	for {
		if _, err := s.settled(ctx); err != nil {
			return "", "", err
		}
		all, err := s.belongings(ctx)
		if err != nil {
			return "", "", err
		}
		if len(all) == 0 || time.Now().After(until) {
			return names(all), strings.Join(s.keepsakes(), " "), nil
		}
		if err := pause(ctx); err != nil {
			return "", "", err
		}
	}
}

func names(all []resource) (text string) {
	for _, r := range all {
		text += r.ID + " "
	}
	return text
}

// undress removes what prepare has made where a verb was about that, and wants nothing to
// be left of it.
func (s *scene) undress(ctx context.Context, v verb) ([]Finding, error) {
	if !v.setup {
		return nil, nil
	}
	r, err := s.who.Run(ctx, "azure", "cleanup", "--provider", rig.Provider)
	if err != nil {
		return nil, err
	}
	s.prepared = false
	found := wordsOf(r)
	all, err := s.infrastructure(ctx)
	if len(all) > 0 {
		found = append(found, Finding{Leak, "left of prepare: " + names(all) + "\n" + r.String()})
	}
	return found, err
}
