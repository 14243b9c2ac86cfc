package fleet

import (
	"cmp"
	"context"
	"io"

	"mngr/internal/agent"
	"mngr/internal/ctl"
	"mngr/internal/shell"
)

// ExecOptions say what to run and where.
type ExecOptions struct {
	Line   string // one shell line
	Outer  bool   // on the virtual machine itself
	Dir    string // absolute; "" for the agent's work directory
	Stdin  io.Reader
	Stdout io.Writer
	Stderr io.Writer
}

// Exec runs a command in an agent's surroundings and returns its exit code. It starts
// nothing: a host that is down stays down, since a machine that boots costs money.
func (f *Fleet) Exec(ctx context.Context, r Row, o ExecOptions) (int, error) {
	// A machine can be looked at as soon as it has an address, finished or not.
	if inspectable := r.Host.Address != "" && r.Host.HostKeys.VM != ""; !o.Outer || !inspectable {
		if err := needRunning(r); err != nil {
			return 0, err
		}
	}
	c := Command{Line: o.Line, Stdin: o.Stdin, Stdout: o.Stdout, Stderr: o.Stderr}
	if o.Dir != "" {
		c.Line = "cd " + shell.Quote(o.Dir) + " && { " + o.Line + "\n}"
	}
	if o.Outer {
		vm, err := f.enterPlace(ctx, r.Host, VM)
		if err != nil {
			return 0, err
		}
		defer vm.Close()
		return vm.Run(ctx, c)
	}
	guest, err := f.enter(ctx, r.Host)
	if err != nil {
		return 0, err
	}
	defer guest.Close()
	c.Env = map[string]string{ctl.EnvAgent: string(r.Agent.ID)}
	return guest.Run(ctx, c)
}

// Connect attaches the user's terminal to an agent's tmux session and returns the exit
// code of the client.
func (f *Fleet) Connect(ctx context.Context, r Row) (int, error) {
	if err := needRunning(r); err != nil {
		return 0, err
	}
	guest, err := f.enter(ctx, r.Host) // for its errors: the system's ssh explains little
	if err != nil {
		return 0, err
	}
	asking := agent.Patiently(ctx, "asking host "+r.Host.Name)
	name := sessionName(ctx, guest, r)
	err = f.attachable(ctx, guest, r)
	asking()
	guest.Close()
	if err != nil {
		return 0, err
	}
	// A name has letters, digits, - and _ only: nothing to quote.
	line := "exec tmux attach-session -t =mngr-" + name
	return f.Guests.Attach(ctx, r.Host, Container, map[string]string{ctl.EnvAgent: string(r.Agent.ID)}, line)
}

// sessionName is the name that an agent has inside its host. Who renamed it from a machine
// that the host does not know could not tell the guest, which is made up for here.
func sessionName(ctx context.Context, g Guest, r Row) string {
	names, _ := agree(ctx, g, byID([]agent.Record{r.Agent})) // at worst the session has its old name still
	return cmp.Or(names[r.Agent.ID], r.Agent.Name)
}

func needRunning(r Row) error {
	switch r.Host.State {
	case agent.HostRunning:
		return nil
	case agent.HostStopped, agent.HostStoppedBilling:
		return agent.Errorf(agent.KindConflict, "host %q of agent %q is %s", r.Host.Name, r.Agent.Name, r.Host.State).
			WithHint("mngr start %s", r.Agent.Name)
	case agent.HostCreating:
		return agent.Errorf(agent.KindConflict, "host %q of agent %q is not finished", r.Host.Name, r.Agent.Name).
			WithHint("mngr start %s # finishes it", r.Agent.Name)
	}
	return agent.Errorf(agent.KindConflict, "host %q of agent %q is %s", r.Host.Name, r.Agent.Name, r.Host.State).
		WithHint("mngr list")
}
