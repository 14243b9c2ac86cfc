package fleet

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"mngr/internal/agent"
	"mngr/internal/ctl"
	"mngr/internal/plain"
	"mngr/internal/records"
)

// Started is what happened to one host and its agents.
type Started struct {
	Host     agent.Host
	Agents   []string      // names that were started, or came up with the host
	Ended    []EndedAgent  // those of them whose program has ended already
	Booted   bool          // the machine was down before
	Accepted bool          // with NoWait: Azure is starting the machine
	byUser   bool          // a user had stopped the host
	LastStop *ctl.LastStop // why the host had stopped itself; nil when a user did, or nobody knows
	Warnings []string
}

// EndedAgent is an agent whose program has ended.
type EndedAgent struct {
	Name     string `json:"name"`
	ExitCode *int   `json:"exit_code"` // nil where nobody knows it
}

// StartOptions say how far `start` goes.
type StartOptions struct {
	NoWait bool // return once Azure has accepted the start of a machine
}

// Start brings up the host that rows share and makes sure that their agents run. An
// unfinished host is finished.
func (f *Fleet) Start(ctx context.Context, rows []Row, o StartOptions, progress agent.Progress) (Started, error) {
	out := Started{Host: rows[0].Host}
	h := &out.Host
	inst, err := f.machinesOf(*h)
	if err != nil {
		return out, err
	}
	if h.Gone() {
		return out, startGone(*h, rows[0].Agent.Name)
	}
	ctx = agent.WithProgress(ctx, progress)
	if neverFinished(*h) && h.State != agent.HostDeleting {
		if o.NoWait {
			return out, agent.Errorf(agent.KindConflict, "host %q is not finished, and would bill while nobody finishes it", h.Name).
				WithHint("mngr start %s", rows[0].Agent.Name)
		}
		return f.startUnfinished(ctx, inst, out, progress)
	}
	if h.State == agent.HostStopping {
		progress("waiting for Azure to finish deallocating")
		if err := f.deallocated(ctx, inst, h); err != nil {
			return out, err
		}
	}
	switch h.State {
	case agent.HostRunning, agent.HostUnreachable:
		f.liftStop(ctx, *h)
	case agent.HostStarting:
		progress("waiting for Azure to finish")
		err := f.settled(ctx, inst, h)
		if ctx.Err() != nil {
			return out, agent.Errorf(agent.KindCanceled, "interrupted; Azure goes on starting host %q, and it bills", h.Name).
				WithHint("mngr stop @%s # ends the bill", h.Name)
		}
		if err != nil {
			return out, err
		}
		out.Booted = true
	case agent.HostStopped, agent.HostStoppedBilling, agent.HostEvicted, agent.HostUnknown:
		return f.startDown(ctx, inst, out, rows, o, progress)
	case agent.HostFailed:
		return f.startDown(ctx, inst, out, rows, o, progress) // a failed operation may be mended by the next
	default:
		return out, cannotStart(*h).WithHint("mngr list")
	}
	return out, f.startAgents(ctx, inst, &out, rows, progress)
}

// neverFinished tells a host of ours on which no creation came to its end.
func neverFinished(h agent.Host) bool { return h.HostKeys.VM != "" && h.HostKeys.Container == "" }

func cannotStart(h agent.Host) *agent.Error {
	why := ""
	if h.Failure != "" {
		why = ": " + h.Failure
	}
	return agent.Errorf(agent.KindConflict, "host %q is %s%s", h.Name, h.State, why)
}

// startDown starts a machine that is down, and its agents.
func (f *Fleet) startDown(ctx context.Context, inst Instance, out Started, rows []Row, o StartOptions, progress agent.Progress) (Started, error) {
	h := &out.Host
	if o.NoWait {
		_, err := f.power(ctx, inst, h, false, progress)
		out.Accepted = err == nil
		return out, err
	}
	out.byUser = h.Tags[records.StoppedBy] != ""
	by, err := f.boot(ctx, inst, h, progress)
	if err == nil {
		out.Booted = true
		err = f.startAgents(ctx, inst, &out, rows, progress)
	}
	switch {
	case ctx.Err() != nil && err != nil:
		out.Booted = false
		return out, f.cutShort(ctx, inst, *h, by, progress)
	case out.Booted:
		err = runsOn(*h, err)
	}
	return out, err
}

// isDown tells a host whose machine is deallocated.
func isDown(h agent.Host) bool { return h.Billing == agent.BillingStorage }

// runsOn says of a start that failed after its machine was up that this one bills.
func runsOn(h agent.Host, err error) error {
	if err == nil {
		return nil
	}
	e := &agent.Error{Kind: agent.KindOf(err), Cause: fmt.Sprintf("%v; host %q runs on, and bills", err, h.Name), Hint: agent.HintOf(err), Err: err}
	if e.Hint == "" {
		e.Hint = "mngr stop @" + h.Name
	}
	return e
}

// bills says of a host that runs what a wait for it costs.
func bills(h agent.Host) string { return "host " + h.Name + " runs, and bills" }

// liftStop takes back what a stop that was cut short told the machine: to keep its
// container down. A machine that is not reached has other troubles.
func (f *Fleet) liftStop(ctx context.Context, h agent.Host) {
	ctx, done := agent.Within(ctx, agent.DeadlineGuestReply, "asking host "+h.Name)
	defer done(nil)
	if g, err := f.Guests.Dial(ctx, h, Container); err == nil {
		_ = g.Close()
		return
	}
	vm, err := f.Guests.Dial(ctx, h, VM)
	if err != nil {
		return
	}
	defer vm.Close()
	_, _ = call(ctx, vm, ctl.Request{Op: ctl.OpHostStart}, nil)
}

func (f *Fleet) startUnfinished(ctx context.Context, inst Instance, out Started, progress agent.Progress) (Started, error) {
	o, err := f.pendingOptions(out.Host)
	if err != nil {
		return out, err
	}
	unlock, err := f.lock(out.Host)
	if err != nil {
		return out, err
	}
	defer unlock()
	fresh, err := inst.Get(ctx, out.Host.Resource) // Azure's own word counts, not the age of an unfinished host
	if err != nil {
		return out, err
	}
	if out.Host.State, out.Host.Failure = fresh.State, fresh.Failure; fresh.State == agent.HostFailed {
		return out, cannotStart(out.Host).WithHint("mngr destroy @%s # removes it; mngr create makes it anew", out.Host.Name)
	}
	ran := out.Host.State == agent.HostRunning
	status, warnings, err := f.finish(ctx, inst, &out.Host, o, progress)
	out.Booted = !ran && out.Host.State == agent.HostRunning
	if err != nil {
		return out, err
	}
	out.Warnings = append(out.Warnings, warnings...)
	out.Agents = []string{o.Name}
	out.look(o.Name, status)
	out.LastStop = f.lastStop(ctx, out.Host) // the dead-man timer, where the create was long ago
	return out, f.Pending.Remove(out.Host.ID)
}

// boot allocates the machine; the container and the agents that ran come up with it.
func (f *Fleet) boot(ctx context.Context, inst Instance, h *agent.Host, progress agent.Progress) (whose, error) {
	by, err := f.power(ctx, inst, h, true, progress)
	if err != nil {
		return by, err
	}
	progress("waiting for the address")
	return by, f.settled(ctx, inst, h)
}

func startFailed(h agent.Host, err error) error {
	if err == nil {
		return nil
	}
	if agent.KindOf(err) == agent.KindNotFound {
		return destroyedMeanwhile(h, err)
	}
	return fmt.Errorf("start host %q: %w", h.Name, err)
}

// lastStop asks the machine why it had stopped itself. It is a courtesy to the user.
func (f *Fleet) lastStop(ctx context.Context, h agent.Host) *ctl.LastStop {
	ctx, done := agent.Within(ctx, agent.DeadlineGuestReply, "asking host "+h.Name+" why it stopped")
	defer done(nil)
	vm, err := f.Guests.Dial(ctx, h, VM)
	if err != nil {
		return nil
	}
	defer vm.Close()
	answer, err := call(ctx, vm, ctl.Request{Op: ctl.OpHostStatus}, nil)
	if err != nil || answer.Host == nil || answer.Host.LastStop == nil {
		return nil
	}
	stop := answer.Host.LastStop
	stop.Cause, stop.Detail = plain.Strip(stop.Cause), plain.Strip(stop.Detail)
	return stop
}

func (f *Fleet) startAgents(ctx context.Context, inst Instance, out *Started, rows []Row, progress agent.Progress) error {
	progress("waiting for the container: " + bills(out.Host))
	limit := agent.DeadlineRunning
	if out.Booted {
		limit = agent.DeadlineVMSSH
	}
	g, err := f.dial(ctx, out.Host, Container, limit, "the container's SSH server")
	if errors.Is(err, ErrNoAccess) {
		out.Warnings = append(out.Warnings, fmt.Sprintf("the machine of host %q runs, but whether its agents do cannot be seen from here: %v", out.Host.Name, err))
		return f.untagStart(ctx, inst, *out, nil, progress)
	}
	if ctx.Err() != nil {
		return agent.Errorf(agent.KindCanceled, "interrupted; host %q runs and bills, as before", out.Host.Name).
			WithHint("mngr start %s # goes on; mngr stop @%s ends the bill", rows[0].Agent.Name, out.Host.Name)
	}
	if err != nil {
		return (&agent.Error{Kind: agent.KindOf(err), Cause: fmt.Sprintf("host %q runs, but %v", out.Host.Name, err), Err: err}).
			WithHint("mngr exec --outer %s 'systemctl status mngrd' # a look; mngr stop @%s ends the bill", rows[0].Agent.Name, out.Host.Name)
	}
	defer g.Close()
	if names, err := agree(ctx, g, byID(out.Host.Agents)); len(names) > 0 && err != nil {
		out.Warnings = append(out.Warnings, fmt.Sprintf("inside host %q agents have other names or labels than in the tags: %v", out.Host.Name, err))
	}
	for _, r := range rows {
		progress("starting agent " + r.Agent.Name)
		ref := &ctl.AgentRef{ID: string(r.Agent.ID)}
		answer, err := f.ask(ctx, g, ctl.Request{Op: ctl.OpAgentStart, Ref: ref}, progress)
		if err != nil {
			return orElse(fmt.Errorf("start agent %q: %w", r.Agent.Name, err), "mngr start %s # again; mngr stop --stop-host %s ends the bill without SSH", r.Agent.Name, r.Agent.Name)
		}
		out.Agents = append(out.Agents, r.Agent.Name)
		if answer.Agent != nil {
			out.look(r.Agent.Name, f.lookAgain(ctx, g, *answer.Agent))
		}
	}
	if out.Booted {
		out.Agents = append(out.Agents, f.alsoRunning(ctx, g, rows)...)
		if !out.byUser {
			out.LastStop = f.lastStop(ctx, out.Host)
		}
	}
	out.Warnings = append(out.Warnings, f.repairSelfStop(ctx, inst, g, out.Host)...)
	return f.untagStart(ctx, inst, *out, rows, progress)
}

// look notes what has become of an agent that was started.
func (s *Started) look(name string, a launched) {
	if a.State != string(agent.Done) {
		return
	}
	s.Ended = append(s.Ended, EndedAgent{Name: name, ExitCode: a.ExitCode})
	if w := endedAtOnce(a); w != "" {
		s.Warnings = append(s.Warnings, name+": "+w)
	}
}

// alsoRunning names the agents that came up with the host without having been named.
func (f *Fleet) alsoRunning(ctx context.Context, g Guest, rows []Row) []string {
	answer, err := f.ask(ctx, g, ctl.Request{Op: ctl.OpStatus}, nil)
	if err != nil || answer.Container == nil {
		return nil
	}
	var names []string
	for _, a := range answer.Container.Agents {
		running := a.State == string(agent.Running) || a.State == string(agent.Waiting)
		if running && !slices.ContainsFunc(rows, func(r Row) bool { return string(r.Agent.ID) == a.ID }) {
			names = append(names, plain.Strip(a.Name))
		}
	}
	return names
}

// untagStart removes what stop wrote into the tags, in one write, if there is any. On a host
// that somebody stops meanwhile it stays.
func (f *Fleet) untagStart(ctx context.Context, inst Instance, out Started, rows []Row, progress agent.Progress) error {
	_, err := f.write(ctx, inst, out.Host, progress, func(now agent.Host) (set map[string]string, remove []string, err error) {
		if !settledState(now.State) {
			return nil, nil, nil
		}
		if _, ok := now.Tags[records.StoppedBy]; ok {
			remove = append(remove, records.StoppedBy)
			set = f.settle(now)
		}
		for _, r := range rows {
			if now.Stopped[r.Agent.ID] {
				name, _ := records.StoppedTag(r.Agent.ID)
				remove = append(remove, name)
			}
		}
		return set, remove, nil
	})
	return err
}
