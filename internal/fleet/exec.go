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

// MaxSaid is how much of each stream ExecKept keeps, bytes: what a hostile container can make
// this process hold of one command.
const MaxSaid = 16 << 20

// Said is what a command wrote, and how it ended.
type Said struct {
	Stdout, Stderr string
	Cut            bool // one of them had more than MaxSaid bytes
	Code           int
}

// ExecKept is Exec for whoever reads afterwards what the command wrote. With an error the
// code does not count.
func (f *Fleet) ExecKept(ctx context.Context, r Row, o ExecOptions) (Said, error) {
	out, errs := &limited{limit: MaxSaid}, &limited{limit: MaxSaid}
	o.Stdout, o.Stderr = out, errs
	code, err := f.Exec(ctx, r, o)
	return Said{Stdout: out.String(), Stderr: errs.String(), Cut: out.cut || errs.cut, Code: code}, err
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
