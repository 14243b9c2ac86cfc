package fleet

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"mngr/internal/agent"
	"mngr/internal/ctl"
	"mngr/internal/git"
	"mngr/internal/records"
)

// CreateOptions describe a new agent and, unless Host names one that exists, its host.
type CreateOptions struct {
	Name     string
	Host     string // "" for a new host named after the agent
	NewHost  bool   // Host must not exist yet
	Provider string

	Type   string
	Argv   []string
	Labels map[string]string
	Env    map[string]string
	Repo   *git.Repository // nil: an empty work directory

	Region    string
	Size      string
	Spot      bool
	Image     string   // "" for the provider's default
	Build     *Build   // the image is built on the machine
	StartArgs []string // of docker run, already checked
	Unsafe    bool     // StartArgs may break the boundary: the machine gets no identity
	Idle      ctl.Idle

	Tags map[string]string // the user's, on everything that a new host is made of

	HostFlags []string // flags that shape a new host, as given; an existing one refuses them

	NoWait     bool // return once Azure has accepted the machine
	KeepFailed bool // leave a failed host for inspection

	AtStake func(*AtStake) `json:"-"` // told what an end at once would leave, nil for nothing; may be nil
}

// Created is the outcome of Create.
type Created struct {
	Agent    agent.Record
	Host     agent.Host
	WorkDir  string
	Joined   bool     // the host existed before
	Finished bool     // false after NoWait
	Warnings []string // one line each
}

// Create makes an agent: on a new host, on one that runs, or by finishing what an
// earlier create of the same name left behind. What fails is undone.
func (f *Fleet) Create(ctx context.Context, o CreateOptions, progress agent.Progress) (Created, error) {
	inst, err := f.instance(o.Provider)
	if err != nil {
		return Created{}, err
	}
	ctx = agent.WithProgress(ctx, progress)
	progress("looking at what exists")
	listing, err := f.List(ctx, []string{o.Provider}, false)
	if err != nil {
		return Created{}, err
	}
	for _, e := range listing.Errors {
		return Created{}, e.Err
	}
	name := o.Host
	if name == "" {
		name = o.Name
	}
	all := listing
	listing = present(all)
	host, err := findHost(listing, name, "")
	if err != nil {
		return Created{}, err
	}
	if host != nil && unfinished(*host) {
		return f.resume(ctx, inst, *host, o, progress)
	}
	begun, err := nameTaken(listing, o)
	if err != nil && (host == nil || o.Host == "" || o.NewHost || host.State != agent.HostRunning) {
		return Created{}, err
	}
	switch {
	case host == nil && o.Host != "" && !o.NewHost:
		return Created{}, agent.Errorf(agent.KindNotFound, "no host %q on provider %q", o.Host, o.Provider).
			WithHint("add --new-host, which makes it")
	case host != nil && (o.NewHost || o.Host == ""):
		return Created{}, agent.Errorf(agent.KindExists, "a host %q exists on provider %q", name, o.Provider).
			WithHint("say %s@%s instead, which puts the agent on it", o.Name, name)
	case host != nil:
		return f.createOn(ctx, inst, *host, o, begun, progress)
	}
	o.Host = name
	made, err := f.createHost(ctx, inst, o, progress)
	if err == nil {
		f.forgetGone(all, name)
	}
	return made, err
}

// nameTaken finds the agent that has the name already.
func nameTaken(l Listing, o CreateOptions) (*Row, error) {
	for _, r := range l.Rows {
		if r.Agent.Name == o.Name && (o.Host == "" || r.Host.Name == o.Host) {
			return &r, exists(r)
		}
	}
	return nil, nil
}

func exists(r Row) error {
	return agent.Errorf(agent.KindExists, "agent %q exists on host %q", r.Agent.Name, r.Host.Name).
		WithHint("mngr connect %s # or choose another name", rowAddress(r))
}

// unfinished tells a host whose creation did not come to its end.
func unfinished(h agent.Host) bool {
	return h.HostKeys.VM != "" && h.HostKeys.Container == "" && h.State != agent.HostDeleting || h.State == agent.HostFailed
}

// Unfinished tells a host that nobody has finished, and that nobody is working on for all
// that can be seen from here.
func (f *Fleet) Unfinished(h agent.Host) bool {
	if !unfinished(h) || h.HostKeys.VM == "" {
		return false
	}
	return h.State != agent.HostCreating || f.Now().Sub(h.CreatedAt) > slowCreate
}

// slowCreate is longer than creates take that nobody has interrupted.
const slowCreate = 15 * time.Minute

// createOn adds an agent to a host that runs. begun is the one of the same name that the
// tags know: where its host does not, an earlier create died in between, and is finished;
// then a failure undoes nothing.
func (f *Fleet) createOn(ctx context.Context, inst Instance, h agent.Host, o CreateOptions, begun *Row, progress agent.Progress) (Created, error) {
	if h.State != agent.HostRunning {
		return Created{}, notUp(h)
	}
	if len(o.HostFlags) > 0 {
		return Created{}, agent.Errorf(agent.KindUsage, "host %q exists: %s cannot change it", h.Name, join(o.HostFlags))
	}
	record := agent.Record{ID: agent.NewID(), Name: o.Name, Type: o.Type, Labels: o.Labels}
	if begun != nil {
		record.ID = begun.Agent.ID
	}
	tags, err := records.EncodeAgent(record)
	if err != nil {
		return Created{}, err
	}
	if err := fits(h, tags); err != nil {
		return Created{}, err
	}
	progress("connecting to host " + h.Name)
	guest, err := f.enter(ctx, h)
	if err != nil {
		return Created{}, err
	}
	defer guest.Close()
	if begun != nil {
		if known, err := f.knows(ctx, guest, record.ID); err != nil || known {
			return Created{}, cmp.Or(orElse(err, "%s", silentHost(h)), exists(*begun))
		}
	}
	o.stakes(&AtStake{Host: h, Agent: record.ID})
	h, refused, err := f.recordNew(ctx, inst, h, record, tags, progress)
	if refused != nil {
		return Created{}, refused
	}
	var status launched
	if err == nil {
		status, err = f.startNew(ctx, guest, h, record, o, string(agent.NewID()), progress)
	}
	if said, ok := errors.AsType[*ctl.Error](err); ok && said.Code == ctl.CodeExists {
		known, unknown := f.knows(ctx, guest, record.ID)
		if unknown != nil { // an undo might take from the other create what it has made
			return Created{}, (&agent.Error{Kind: agent.KindExists, Err: errors.Join(err, ErrHalfMade),
				Cause: fmt.Sprintf("%v; whether it has finished this one is not known: %v; its tags are left", err, unknown)}).
				WithHint("mngr list # shows whether it runs; if not: mngr destroy --force %s@%s", o.Name, h.Name)
		}
		if known { // the other create took this one for dead, and has finished it
			err = &agent.Error{Kind: agent.KindExists, Err: err, Cause: err.Error()}
			return Created{}, orElse(err, "mngr connect %s@%s # or choose another name", o.Name, h.Name)
		}
	}
	if err != nil && begun != nil { // whoever began it may be at it still: an undo would take it from them
		err = f.noRoomOn(err, h, o, fmt.Sprintf("mngr destroy --force %s@%s", o.Name, h.Name))
		return Created{}, orElse(err, "mngr destroy --force %s@%s # removes what there is of it; the same mngr create again goes on", o.Name, h.Name)
	}
	if err != nil {
		err = f.noRoomOn(err, h, o, "")
		err = orElse(err, againAll)
		return Created{}, f.forgetAgent(ctx, inst, h, guest, record, err, progress)
	}
	made := Created{Agent: record, Host: h, Joined: true}
	made.finished(status)
	return made, nil
}

// notUp is the error of a host that can have no new agent as it is.
func notUp(h agent.Host) error {
	err := agent.Errorf(agent.KindConflict, "host %q is %s", h.Name, h.State)
	switch {
	case h.State == agent.HostDeleting:
		return err.WithHint("mngr list # shows when it is gone")
	case len(h.Agents) > 0:
		return err.WithHint("mngr start %s@%s # first", h.Agents[0].Name, h.Name)
	}
	return err.WithHint("mngr list")
}

// recordNew writes the tags of a new agent, unless since the host was looked at another one
// of its name has come, or the host goes down: then it is refused, and nothing is there to undo.
func (f *Fleet) recordNew(ctx context.Context, inst Instance, h agent.Host, a agent.Record, tags map[string]string, progress agent.Progress) (_ agent.Host, refused, err error) {
	now, err := f.write(ctx, inst, h, progress, func(now agent.Host) (set map[string]string, remove []string, err error) {
		if refused = mayRecord(now, a, tags); refused != nil {
			return nil, nil, refused
		}
		if records.Fits(now.Tags, tags) != nil {
			remove = records.RunTags() // the agents need the room
		}
		return tags, remove, nil
	})
	if err != nil {
		err = fmt.Errorf("record agent %q: %w", a.Name, err)
	}
	h.Tags, h.Run = now.Tags, now.Run
	return h, refused, err
}

// mayRecord tells why the tags of a new agent cannot be written on a host as it is now.
func mayRecord(now agent.Host, a agent.Record, tags map[string]string) error {
	if now.State != agent.HostRunning && now.State != agent.HostUnreachable {
		return notUp(now)
	}
	for _, other := range now.Agents {
		if other.Name == a.Name && other.ID != a.ID {
			return exists(Row{Agent: other, Host: now})
		}
	}
	return fits(now, tags)
}

func (c *Created) finished(a launched) {
	c.WorkDir, c.Finished = a.WorkDir, true
	if w := endedAtOnce(a); w != "" {
		c.Warnings = append(c.Warnings, w)
	}
}

// knows tells whether a host has an agent that the tags say it has.
func (f *Fleet) knows(ctx context.Context, g Guest, id agent.ID) (bool, error) {
	answer, err := f.ask(ctx, g, ctl.Request{Op: ctl.OpStatus}, nil)
	if err == nil && answer.Container == nil {
		err = errors.New("mngrd sent an empty answer")
	}
	return guestOf(answer.Container, id) != nil, err
}

// PhaseForget is the phase in which an agent that could not be made is removed.
const PhaseForget = "undoing: removing the half-made agent (interrupt again to leave at once)"

// ErrHalfMade is in the error of a create whose agent could not be removed.
var ErrHalfMade = errors.New("something of the half-made agent is left")

// forgetAgent undoes a half-made agent on a host that has others.
func (f *Fleet) forgetAgent(ctx context.Context, inst Instance, h agent.Host, g Guest, a agent.Record, cause error, progress agent.Progress) error {
	progress(PhaseForget)
	ctx, done := agent.Within(context.WithoutCancel(ctx), agent.DeadlineUndo, "removing the half-made agent")
	defer done(nil) // the reason for the removal counts
	remove := ctl.Request{Op: ctl.OpAgentRemove, Ref: &ctl.AgentRef{ID: string(a.ID)}}
	_, err := f.ask(ctx, g, remove, nil)
	if agent.KindOf(err) == agent.KindUnreachable { // what broke the connection may be over
		var fresh Guest
		if fresh, err = f.enter(ctx, h); err == nil {
			defer fresh.Close()
			_, err = f.ask(ctx, fresh, remove, nil)
		}
	}
	what := "the half-made agent"
	if err == nil {
		what, err = "the tags of the half-made agent", f.untag(ctx, inst, h, a)
	}
	if err != nil {
		return &agent.Error{
			Kind: agent.KindOf(cause), Err: errors.Join(cause, ErrHalfMade), Code: agent.CodeOf(cause), Lines: agent.LinesOf(cause),
			Cause: fmt.Sprintf("%v; and %s could not be removed: %v", cause, what, err),
			Hint:  fmt.Sprintf("mngr destroy --force %s # removes it", a.ID), // the name may be another create's
		}
	}
	return cause
}

// untag removes the tags of an agent that could not be made.
func (f *Fleet) untag(ctx context.Context, inst Instance, h agent.Host, a agent.Record) error {
	fresh, err := inst.Get(ctx, h.Resource)
	if err == nil {
		err = inst.MergeTags(ctx, h.Resource, nil, records.AgentTagNames(fresh.Tags, a.ID))
	}
	return err
}
