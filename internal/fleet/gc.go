package fleet

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"mngr/internal/agent"
)

// GCOptions say what counts as garbage.
type GCOptions struct {
	Providers []string // none: all in use
	Force     bool     // unfinished hosts younger than agent.AgeAbandoned go too
	Automatic bool     // nobody asked for it: machines are named, not removed

	// With TagName everything of ours that carries the tag and is older than OlderThan is
	// garbage, running hosts included, and nothing else is.
	TagName, TagValue string
	OlderThan         time.Duration
}

// Garbage is one thing that gc would remove, or explains why it does not.
type Garbage struct {
	agent.Leftover
	Provider string // the instance that sees it; "" for files of this machine
	Removed  bool
	Err      error // of the attempt to remove it
	Stays    error // instead of Err, where that is harmless; Kept says it, too

	host      agent.Host // of a machine, or of local files
	condemned bool       // a machine that goes by its tag, finished or not
	finished  bool       // of local files: the host lives, and they tell how to finish it
}

// GarbageList is what was found, and who could not be asked.
type GarbageList struct {
	Items  []Garbage
	Errors []ProviderError
}

// FindGarbage looks at every provider and at this machine, and changes nothing. Of a
// provider that could not be asked nothing counts as garbage.
func (f *Fleet) FindGarbage(ctx context.Context, o GCOptions) (GarbageList, error) {
	instances, err := f.asked(o.Providers)
	if err != nil {
		return GarbageList{}, err
	}
	resting, err := f.resting() // before the looks, which do not show what is begun after them
	if err != nil {
		return GarbageList{}, err
	}
	looks := make([]look, len(instances))
	var wg sync.WaitGroup
	for n, i := range instances {
		wg.Go(func() { looks[n] = f.lookAt(ctx, i) })
	}
	wg.Wait()
	var out GarbageList
	seen := map[string]bool{}
	add := func(g Garbage) {
		if key := strings.ToLower(g.Resource); !seen[key] {
			seen[key] = true
			out.Items = append(out.Items, g)
		}
	}
	for _, l := range looks {
		if l.instance.missed(l.err) {
			continue
		}
		if l.err != nil {
			out.Errors = append(out.Errors, ProviderError{Provider: l.instance.Name(), Err: l.err})
			continue
		}
		var machines []Garbage
		for _, h := range l.hosts {
			if g, is := f.judge(l.instance, h, o); is {
				machines = append(machines, g)
			}
		}
		priceMachines(ctx, l.instance, machines)
		for _, g := range machines {
			add(g)
		}
		for _, part := range l.parts {
			if g, is := o.part(f.Now(), part); is {
				g.Provider = l.instance.Name()
				add(g)
			}
		}
	}
	if o.TagName == "" {
		local, err := f.localGarbage(ctx, looks, resting)
		if err != nil {
			return out, err
		}
		out.Items = append(out.Items, local...)
	}
	return out, ctx.Err()
}

// look is what one provider shows.
type look struct {
	instance Instance
	hosts    []agent.Host
	parts    []agent.Leftover
	err      error
}

func (f *Fleet) lookAt(ctx context.Context, i Instance) look {
	l := look{instance: i}
	var g errgroup.Group
	g.Go(func() (err error) { l.parts, err = i.Leftovers(ctx); return })
	g.Go(func() (err error) { l.hosts, err = i.List(ctx); return })
	l.err = g.Wait()
	for n := range l.hosts {
		l.hosts[n].Via = i.Name()
		f.read(&l.hosts[n])
	}
	return l
}

// judge decides about a host's machine. One that was ever finished may hold somebody's
// work: only a tag that its user gave it condemns it.
func (f *Fleet) judge(i Instance, h agent.Host, o GCOptions) (Garbage, bool) {
	age := f.Now().Sub(h.CreatedAt)
	g := Garbage{Provider: i.Name(), host: h, Leftover: agent.Leftover{Kind: agent.LeftoverMachine, Name: h.Name,
		Resource: h.Resource, Since: h.CreatedAt, Tags: h.Tags}}
	switch {
	case h.State == agent.HostDeleting:
		return g, false
	case o.TagName != "":
		if !o.tagged(h.Tags) {
			return g, false
		}
		g.Why, g.condemned = "it carries the tag "+o.TagName+"="+o.TagValue, true
		if h.CreatedAt.IsZero() {
			g.Kept = "its age is not known"
		}
		return g, age > o.OlderThan || g.Kept != ""
	case !unfinished(h):
		return g, false
	case o.Automatic && h.State != agent.HostFailed && !h.CreatedAt.IsZero() && age <= agent.AgeAbandoned:
		return g, false // somebody is making it
	}
	g.Why = neverWas
	switch {
	case strings.HasPrefix(h.Failure, neverWas):
		g.Why = h.Failure
	case h.State == agent.HostFailed && h.Failure != "":
		g.Why = "it failed: " + h.Failure
	}
	switch {
	case !neverFinished(h):
		g.Kept = "agents ran on it, and their files may be on its disk: mngr destroy @" + h.Name
	case h.CreatedAt.IsZero():
		g.Kept = "its age is not known: mngr destroy @" + h.Name
	case age <= agent.AgeAbandoned && !o.Force:
		g.Kept = fmt.Sprintf("it is younger than %d minutes, and may be under construction: mngr gc --force, or mngr destroy @%s", int(agent.AgeAbandoned.Minutes()), h.Name)
	case f.inTheMaking(h.ID):
		g.Kept = "another mngr on this machine is making it"
	case o.Automatic:
		g.Kept = "machines are removed by mngr gc only"
	}
	return g, true
}

// inTheMaking tells whether another process of this machine works on a host.
func (f *Fleet) inTheMaking(id agent.HostID) bool {
	held, err := f.Pending.Held(id)
	return held || err != nil
}

func (o GCOptions) tagged(tags map[string]string) bool {
	for name, value := range tags {
		if strings.EqualFold(name, o.TagName) && value == o.TagValue {
			return true
		}
	}
	return false
}

func (o GCOptions) part(now time.Time, l agent.Leftover) (Garbage, bool) {
	if o.TagName != "" && (!o.tagged(l.Tags) || now.Sub(l.Since) <= o.OlderThan) {
		return Garbage{}, false
	}
	return Garbage{Leftover: l}, true
}

// manyRemovals is how many things are removed at a time.
const manyRemovals = 8

// removalOrder is the order in which things let go of each other.
var removalOrder = []agent.LeftoverKind{
	agent.LeftoverMachine, agent.LeftoverRole, agent.LeftoverInterface, agent.LeftoverAddress, agent.LeftoverDisk, agent.LeftoverLocal,
}

// Collect removes what FindGarbage found and did not want kept, and marks it. All is
// tried; what fails is joined, but for what is harmless: that is kept.
func (f *Fleet) Collect(ctx context.Context, list *GarbageList, progress agent.Progress) error {
	for _, kind := range removalOrder {
		var g errgroup.Group
		g.SetLimit(manyRemovals)
		for n := range list.Items {
			if it := &list.Items[n]; it.Kind == kind && it.Kept == "" {
				g.Go(func() error {
					it.Err = f.collect(ctx, it, progress)
					it.Removed = it.Err == nil
					if it.Err != nil && agent.Harmless(it.Err) {
						it.Stays, it.Kept, it.Err = it.Err, it.Err.Error(), nil
					}
					return nil
				})
			}
		}
		_ = g.Wait()
	}
	var errs []error
	interrupted := 0
	for _, it := range list.Items {
		if ctx.Err() != nil && agent.KindOf(it.Err) == agent.KindCanceled {
			interrupted++
			continue
		}
		errs = append(errs, it.Err)
	}
	if ctx.Err() == nil {
		errs = append(errs, f.Pending.Tidy())
	}
	if interrupted > 0 {
		errs = append(errs, agent.Errorf(agent.KindCanceled, "interrupted; %d things that were to go may be left, and bill", interrupted).
			WithHint("mngr gc # goes on"))
	}
	return errors.Join(errs...)
}

func (f *Fleet) collect(ctx context.Context, it *Garbage, progress agent.Progress) error {
	if ctx.Err() != nil {
		return agent.Errorf(agent.KindCanceled, "interrupted before its turn")
	}
	switch it.Kind {
	case agent.LeftoverLocal:
		if it.finished {
			return f.Pending.Remove(it.host.ID)
		}
		return f.forget(it.host.ID)
	case agent.LeftoverMachine:
		if !it.condemned {
			return f.destroyUnfinished(ctx, it.host, progress)
		}
		return f.DestroyHost(ctx, it.host, progress)
	}
	inst, err := f.instance(it.Provider)
	if err != nil {
		return err
	}
	progress("deleting " + strings.ReplaceAll(string(it.Kind), "_", " ") + " " + it.Name)
	return inst.RemoveLeftover(ctx, it.Leftover, progress)
}

// destroyUnfinished destroys a host unless somebody has finished it since the look, or is
// at it on this machine: much may be removed before it.
func (f *Fleet) destroyUnfinished(ctx context.Context, h agent.Host, progress agent.Progress) error {
	inst, err := f.machinesOf(h)
	if err != nil {
		return err
	}
	unlock, err := f.lock(h)
	if err != nil {
		return err
	}
	defer unlock()
	fresh, err := inst.Get(ctx, h.Resource)
	if err != nil && agent.KindOf(err) != agent.KindNotFound {
		return err
	}
	if f.read(&fresh); err == nil && !neverFinished(fresh) {
		return agent.Errorf(agent.KindConflict, "host %q was finished meanwhile; it stays", h.Name)
	}
	return f.DestroyHost(ctx, h, progress)
}
