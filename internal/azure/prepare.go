package azure

import (
	"context"
	"errors"
	"maps"
	"regexp"
	"slices"
	"strings"

	"mngr/internal/agent"
)

// PrepareOptions are what a user may say to prepare.
type PrepareOptions struct {
	Region           string   // "" for the instance's
	AllowedSSHCIDRs  []string // nil: as configured; empty: nobody; see Settings.AllowedSSHCIDRs
	UseExistingGroup bool     // work in a group that mngr did not make
	DryRun           bool     // find out what there is to do, and write nothing
}

// Action is what prepare does with a part.
type Action string

// Actions.
const (
	Keep     Action = "keep"
	Register Action = "register"
	Create   Action = "create"
	Change   Action = "change"
	Delete   Action = "delete"
)

// Part is one thing that hosts need. Before and After are who a security rule admits, or
// keeps out.
type Part struct {
	Kind   string `json:"kind"` // "resource group", "network", "security rule" …
	Name   string `json:"name"`
	Action Action `json:"action"` // in a dry run, what would be done
	Before string `json:"before,omitempty"`
	After  string `json:"after,omitempty"`
}

// String is the part's action in words, "create network mngr-vnet".
func (p Part) String() string {
	s := string(p.Action) + " " + p.Kind + " " + p.Name
	switch {
	case p.Action == Change:
		s += " from " + p.Before + " to " + p.After
	case p.Action == Create && p.After != "":
		s += " for " + p.After
	case p.Action == Delete && p.Before != "":
		s += " for " + p.Before
	}
	return s
}

// PrepareResult says what is there now, or after a dry run what would be.
type PrepareResult struct {
	SubscriptionID string
	ResourceGroup  string
	Region         string
	Created        bool // the group is new
	Parts          []Part
	Warnings       []string
}

// Prepare makes what hosts need in a region: resource providers registered, a group, a
// network whose security rules admit SSH, and the role with which a machine stops
// itself. Everything is looked at before the first write, so that a refusal changes
// nothing. What is there already is left as it is; a second run writes nothing.
func (p *Provider) Prepare(ctx context.Context, o PrepareOptions, progress agent.Progress) (PrepareResult, error) {
	n := p.settings.network(o.Region)
	if !regionName.MatchString(n.region) {
		return PrepareResult{}, unknownRegion(n.region, nil)
	}
	cidrs, err := parseCIDRs(o.AllowedSSHCIDRs)
	if err != nil {
		return PrepareResult{}, agent.Errorf(agent.KindUsage, "allowed SSH source: %w", err).
			WithHint("give it as 203.0.113.4/32")
	}
	if cidrs == nil {
		cidrs, _ = parseCIDRs(p.settings.AllowedSSHCIDRs) // checked by New
	}
	s, err := p.session(ctx)
	if err != nil {
		return PrepareResult{}, err
	}
	w := &preparation{p: p, s: s, n: n, o: o, cidrs: cidrs, progress: progress, result: PrepareResult{
		SubscriptionID: s.subscription, ResourceGroup: p.settings.ResourceGroup, Region: n.region}}
	err = w.run(agent.WithProgress(ctx, progress))
	if agent.KindOf(err) == agent.KindCanceled && ctx.Err() != nil {
		err = w.interrupted(err)
	}
	return w.result, err
}

// interrupted says what is there by now. It costs nothing, and the next run goes on.
func (w *preparation) interrupted(cause error) error {
	made := []string{"nothing was made or changed"}
	if len(w.done) > 0 {
		made = []string{"done so far, and free of charge: " + w.done[0].String()}
		for _, part := range w.done[1:] {
			made = append(made, part.String())
		}
	}
	return &agent.Error{Kind: agent.KindCanceled, Err: cause, Cause: "interrupted; " + strings.Join(made, ", "),
		Hint: w.p.prepareCommand() + " # goes on; " + w.p.cleanupCommand() + " removes it"}
}

var regionName = regexp.MustCompile(`^[a-z][a-z0-9]{1,39}$`)

// unknownRegion names the regions that there are, where Azure has told them.
func unknownRegion(region string, known map[string]bool) error {
	err := agent.Errorf(agent.KindUsage, "Azure has no region %q", region)
	if len(known) == 0 {
		return err.WithHint("%s", tryRegions)
	}
	return err.WithHint("take one of these: %s", strings.Join(slices.Sorted(maps.Keys(known)), ", "))
}

// preparation is one run of Prepare.
type preparation struct {
	p        *Provider
	s        *session
	n        network
	o        PrepareOptions
	cidrs    []string // sources; nil where nobody said anything
	progress agent.Progress
	result   PrepareResult

	unregistered []string // resource providers
	steps        []step
	done         []Part // what this run has written, also before it looked again
}

// step is one write.
type step struct {
	part Part
	// there looks for what the step makes. Somebody else may have made it since the
	// survey, and a PUT would then undo what he has written.
	there func(context.Context) error
	do    func(context.Context) error
	// optional tells what is missing where the step fails; nil where all depends on it.
	optional func(error) string
}

// errAppeared says that the plan is out of date.
var errAppeared = errors.New("somebody else has just made it")

// mostPlans bounds how often prepare gives way to others who prepare the same.
const mostPlans = 5

func (w *preparation) run(ctx context.Context) error {
	for plans := 1; ; plans++ {
		say(w.progress, "looking at what is there")
		found, err := w.look(ctx)
		if err != nil {
			return err
		}
		if err := w.plan(found); err != nil || w.o.DryRun {
			return err
		}
		err = w.carryOut(ctx)
		if !errors.Is(err, errAppeared) {
			w.recall()
			return err
		}
		if plans == mostPlans {
			return agent.Errorf(agent.KindConflict, "resource group %s is being prepared by somebody else, too", w.p.settings.ResourceGroup).
				WithHint("%s # again", w.p.prepareCommand())
		}
	}
}

// plan compares what was found with what is needed.
func (w *preparation) plan(found survey) error {
	w.unregistered, w.steps, w.result.Parts, w.result.Warnings = nil, nil, nil, nil
	if err := w.checkRegion(found); err != nil {
		return err
	}
	w.planProviders(found)
	if err := w.planGroup(found); err != nil {
		return err
	}
	if err := w.planSecurity(found); err != nil {
		return err
	}
	if err := w.planNetwork(found); err != nil {
		return err
	}
	if w.p.settings.SelfStop {
		w.planRole(found)
	}
	return nil
}

// checkRegion refuses a region that Azure does not have before something is made there.
func (w *preparation) checkRegion(found survey) error {
	if found.nsg != nil && found.vnet != nil || len(found.regions) == 0 || found.regions[w.n.region] {
		return nil
	}
	return unknownRegion(w.n.region, found.regions)
}

func (w *preparation) carryOut(ctx context.Context) (err error) {
	if err := w.registerProviders(ctx); err != nil {
		return err
	}
	ctx, done := agent.Within(ctx, agent.DeadlineOperation, "preparing resource group "+w.p.settings.ResourceGroup)
	defer done(&err)
	for _, st := range w.steps {
		say(w.progress, st.part.String())
		err := w.write(ctx, st)
		switch {
		case err == nil:
			w.done = append(w.done, st.part)
		case st.optional != nil && ctx.Err() == nil:
			w.warn(st.optional(err))
			w.drop(st.part)
		default:
			return w.p.translate(err, st.part.String())
		}
	}
	return nil
}

// write carries a step out, and again while others keep Azure busy.
func (w *preparation) write(ctx context.Context, st step) error {
	if st.there != nil {
		if err := st.there(ctx); err == nil {
			return errAppeared
		} else if !absent(err) {
			return err
		}
	}
	return stubbornly(ctx, w.p, agent.DeadlineAccept, w.progress, func(context.Context) error { return st.do(ctx) })
}

// recall shows what was written before the run looked again.
func (w *preparation) recall() {
	for _, d := range w.done {
		if d.Kind == kindGroup {
			w.result.Created = true
		}
		for i, p := range w.result.Parts {
			if p.Kind == d.Kind && p.Name == d.Name {
				w.result.Parts[i] = d
			}
		}
	}
}

func (w *preparation) keep(kind, name string) {
	w.result.Parts = append(w.result.Parts, Part{Kind: kind, Name: name, Action: Keep})
}

// keepOurs keeps what is there, and refuses what is somebody else's or in another region.
func (w *preparation) keepOurs(kind, name string, tags map[string]*string, location *string) error {
	if !ours(tags) {
		return foreign(kind + " " + name)
	}
	if err := w.p.settings.elsewhere(kind+" "+name, text(location), w.n.region); err != nil {
		return err
	}
	w.keep(kind, name)
	return nil
}

func (w *preparation) add(st step) {
	w.result.Parts = append(w.result.Parts, st.part)
	w.steps = append(w.steps, st)
}

func (w *preparation) drop(part Part) {
	for i, p := range w.result.Parts {
		if p == part {
			w.result.Parts = append(w.result.Parts[:i:i], w.result.Parts[i+1:]...)
			return
		}
	}
}

func (w *preparation) warn(text string) { w.result.Warnings = append(w.result.Warnings, text) }
