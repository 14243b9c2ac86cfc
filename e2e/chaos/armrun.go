package chaos

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"mngr/e2e/rig"
)

// tries is how often an attempt is made whose fault is not hit: a poll more or less is a
// matter of milliseconds.
const tries = 3

// arena runs attempts in several worlds at a time.
type arena struct {
	t       testing.TB
	workers int
	table   *Table

	mu     sync.Mutex
	hit    map[string]bool // the attempts, without their way, whose faults were hit
	made   int
	failed int
}

// record runs each verb without trouble, and returns the calls that it sends to ARM every
// time: a poll that only one of two runs has needed is not there for a fault to meet.
func (a *arena) record(ctx context.Context, all []verb) map[string][]call {
	var mu sync.Mutex
	calls := map[string][]call{}
	each(ctx, a, all, func(w *world, v verb) error {
		got, err := w.record(ctx, v)
		if err == nil {
			var second []call
			if second, err = w.record(ctx, v); err == nil {
				got, err = common(got, second)
			}
		}
		if err != nil {
			a.t.Errorf("%s without trouble: %v", v.name, err)
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		calls[v.name] = got
		return nil
	})
	return calls
}

// record runs a verb once, wants it to do what it is for, and destroy to leave nothing.
func (w *world) record(ctx context.Context, v verb) ([]call, error) {
	s, err := w.stage(ctx, v)
	if err != nil {
		return nil, fmt.Errorf("set the scene: %w", err)
	}
	farewell, err := s.meet(ctx, v)
	if err != nil {
		return nil, err
	}
	defer farewell()
	before, err := s.azure.Mark()
	if err != nil {
		return nil, err
	}
	r, err := s.who.Run(ctx, v.args...)
	if err != nil {
		return nil, err
	}
	entries, err := s.azure.Log(before)
	if err != nil {
		return nil, err
	}
	found := wordsOf(r)
	if (r.Code == 0) == v.fails {
		found = append(found, Finding{Else, r.String()})
	}
	l, more, err := s.compare(ctx)
	if err != nil {
		return nil, err
	}
	if wrong := v.want(s, l); wrong != nil {
		more = append(more, Finding{Else, wrong.Error()})
	}
	gone, err := s.destroyAll(ctx)
	if err != nil {
		return nil, err
	}
	if left, _, err := s.left(ctx); err != nil || left != "" {
		gone = append(gone, Finding{Leak, fmt.Sprintf("without trouble, and without gc, is left: %s (%v)", left, err)})
	}
	rest, err := s.remove(ctx, attempt{verb: v, way: leave})
	if err != nil {
		return nil, err
	}
	if found = slices.Concat(found, more, gone, rest); len(found) > 0 {
		return nil, errors.New(tell(found))
	}
	return callsOf(entries), nil
}

// callsOf numbers the requests to ARM by operation.
func callsOf(entries []rig.Entry) []call {
	var all []call
	seen := map[string]int{}
	for _, e := range entries {
		if !e.ARM() {
			continue
		}
		name := pattern(e.Operation)
		seen[name]++
		all = append(all, call{operation: name, nth: seen[name], write: e.Write(), begins: e.ID != ""})
	}
	return all
}

// common are the calls of one run that another one has, too. They differ in reads only.
func common(one, other []call) ([]call, error) {
	count := func(all []call) map[string]int {
		n := map[string]int{}
		for _, c := range all {
			n[c.operation]++
		}
		return n
	}
	mine, theirs := count(one), count(other)
	for _, c := range slices.Concat(one, other) {
		if c.write && mine[c.operation] != theirs[c.operation] {
			return nil, fmt.Errorf("%s is sent %d times, and then %d times", c.operation, mine[c.operation], theirs[c.operation])
		}
	}
	return slices.DeleteFunc(one, func(c call) bool { return c.nth > theirs[c.operation] }), nil
}

// pattern is an operation as a fault takes it. Polls have no name but their path, of which
// the ids are left out.
func pattern(operation string) string {
	if !strings.Contains(operation, " /") {
		return operation
	}
	seg := strings.Split(operation, "/")
	for i := 1; i < len(seg); i++ {
		before := strings.ToLower(seg[i-1])
		if slices.Contains([]string{"subscriptions", "locations"}, before) || strings.HasSuffix(before, "operations") || strings.HasSuffix(before, "operationresults") {
			seg[i] = "*"
		}
	}
	return strings.Join(seg, "/")
}

// run makes all attempts.
func (a *arena) run(ctx context.Context, all []attempt) {
	each(ctx, a, all, func(w *world, one attempt) error {
		found, err := w.run(ctx, one)
		for n := 1; errors.Is(err, errNotHit) && n < tries; n++ {
			if err = w.renew(ctx, a.t); err == nil {
				found, err = w.run(ctx, one)
			}
		}
		a.judge(one, found, err)
		if len(found) > 0 && err == nil {
			err = errors.New("harm")
		}
		return err
	})
}

// judge counts an attempt, and tells of its harm how to see it again.
func (a *arena) judge(one attempt, found []Finding, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.made++; a.made%100 == 0 {
		a.t.Logf("%d attempts made, %d with harm", a.made, a.failed)
	}
	if err == nil {
		a.hit[one.point()] = true
		a.table.Add(one.verb.name, one.call.operation, found)
	}
	if err != nil || len(found) > 0 {
		a.failed++
		a.t.Errorf("CASE='%s' make chaos\n%v\n%s", one, err, tell(found))
	}
}

func tell(found []Finding) string {
	var all []string
	for _, f := range found {
		all = append(all, string(f.Harm)+": "+f.Text)
	}
	return strings.Join(all, "\n")
}

// renew ends a world in which something may be left and makes a new one of it.
func (w *world) renew(ctx context.Context, t testing.TB) error {
	if err := w.azure.Close(); err != nil {
		return err
	}
	fresh, err := newWorld(ctx, t)
	if err == nil {
		*w = *fresh
	}
	return err
}

// each does something for every item, in as many worlds as the arena has workers. After an
// error a world is made anew.
func each[T any](ctx context.Context, a *arena, items []T, do func(*world, T) error) {
	queue := make(chan T)
	var wg sync.WaitGroup
	for range min(a.workers, len(items)) {
		wg.Go(func() {
			var w *world
			for item := range queue {
				var err error
				if w == nil {
					w, err = newWorld(ctx, a.t)
				}
				if err != nil {
					a.t.Error(err)
					continue
				}
				if do(w, item) != nil {
					if err := w.azure.Close(); err != nil {
						a.t.Error(err)
					}
					w = nil
				}
			}
			if w != nil {
				if err := w.azure.Close(); err != nil {
					a.t.Error(err)
				}
			}
		})
	}
	for _, item := range items {
		queue <- item
	}
	close(queue)
	wg.Wait()
}
