package fleet

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"syscall"
	"time"

	"mngr/internal/agent"
	"mngr/internal/ctl"
	"mngr/internal/git"
	"mngr/internal/hostsetup"
	"mngr/internal/plain"
)

// setUp turns a machine with an address into a host with one agent that runs. It fills
// in the host's keys and may be repeated.
func (f *Fleet) setUp(ctx context.Context, inst Instance, h *agent.Host, o CreateOptions, progress agent.Progress) (launched, error) {
	if _, err := f.Guests.Trust(*h); err != nil {
		return launched{}, err
	}
	progress("waiting for SSH on " + h.Address)
	vm, err := f.dial(ctx, *h, VM, agent.DeadlineVMSSH, "SSH of the virtual machine")
	if err != nil {
		return launched{}, shutOut(err, inst.Name())
	}
	defer vm.Close()
	if err := f.installGuest(ctx, vm, progress); err != nil {
		return launched{}, err
	}
	if err := f.build(ctx, vm, *h, o.Build, progress); err != nil {
		return launched{}, err
	}
	key, err := f.startContainer(ctx, vm, inst, *h, o, progress)
	if err != nil {
		return launched{}, err
	}
	h.HostKeys.Container = key
	if _, err := f.Guests.Trust(*h); err != nil {
		return launched{}, err
	}
	progress("connecting to the container")
	guest, err := f.dial(ctx, *h, Container, agent.DeadlineGuestSSH, "the container's SSH server")
	if err != nil {
		return launched{}, err
	}
	defer guest.Close()
	return f.startNew(ctx, guest, *h, h.Agents[0], o, "", progress)
}

// shutOut adds how to see whether the network keeps this machine out, where nothing
// answered at all: a refusal has come from the machine itself.
func shutOut(err error, provider string) error {
	silent, ok := errors.AsType[*agent.Error](err)
	if !ok || silent.Kind != agent.KindTimeout || errors.Is(err, syscall.ECONNREFUSED) {
		return err
	}
	return silent.WithHint("mngr azure prepare --provider %s --allowed-ssh-cidr me --dry-run # tells whether the network admits this machine", provider)
}

// dial waits for one SSH server and names what it waited for when it gives up.
func (f *Fleet) dial(ctx context.Context, h agent.Host, p Place, limit agent.Deadline, what string) (Guest, error) {
	waiting, done := agent.Within(ctx, limit, what)
	defer done(nil)
	guest, err := f.Guests.DialRetry(waiting, h, p, f.tellWhy(ctx, "waiting for "+what))
	if err != nil && ctx.Err() == nil && waiting.Err() != nil {
		return nil, &agent.Error{Kind: agent.KindTimeout, Err: err,
			Cause: fmt.Sprintf("%s did not answer within %s: %v", what, limit, err)}
	}
	return guest, err
}

// unexplained is how long an attempt to connect may fail before the reason is shown: a
// machine that boots is silent first, and then refuses.
const unexplained = 30 * time.Second

// tellWhy shows why a connection is still missing, each reason once.
func (f *Fleet) tellWhy(ctx context.Context, phase string) func(error) {
	begin, told := f.Now(), ""
	return func(err error) {
		if why := reason(err); f.Now().Sub(begin) >= unexplained && why != told {
			told = why
			agent.Tell(ctx, phase+": "+why)
		}
	}
}

// reason is what a failed attempt to connect may mean.
func reason(err error) string {
	timeout, network := errors.AsType[net.Error](err)
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "refused: the machine boots, or nothing listens there"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, io.EOF):
		return "cut: the machine boots, or something in between cuts connections"
	case errors.Is(err, context.DeadlineExceeded), network && timeout.Timeout():
		return "no answer: the machine boots or hangs, or a network in between keeps this one out"
	}
	if op, ok := errors.AsType[*net.OpError](err); ok { // without its port, which is another one each time
		err = fmt.Errorf("%s: %w", op.Op, op.Err)
	}
	return plain.Line(err.Error(), maxWord)
}

// enter connects to the container of a running host, with errors a user understands.
func (f *Fleet) enter(ctx context.Context, h agent.Host) (Guest, error) {
	return f.enterPlace(ctx, h, Container)
}

func (f *Fleet) enterPlace(ctx context.Context, h agent.Host, p Place) (Guest, error) {
	entered := agent.Patiently(ctx, "connecting to host "+h.Name)
	guest, err := f.dial(ctx, h, p, agent.DeadlineGuestReply, "host "+h.Name)
	entered()
	if errors.Is(err, ErrNoAccess) {
		denied := &agent.Error{Kind: agent.KindDenied, Cause: fmt.Sprintf("cannot enter host %q: %v", h.Name, err), Err: err}
		return nil, denied.WithHint("enter it from the machine that created it (stop, start and destroy work from here)")
	}
	if err != nil {
		failure := &agent.Error{Kind: agent.KindOf(err), Err: err, Cause: fmt.Sprintf("cannot enter host %q: %v", h.Name, err)}
		return nil, failure.WithHint("%s", cmp.Or(agent.HintOf(err), silentHost(h)))
	}
	return guest, nil
}

// installGuest brings mngrd to the machine unless exactly this one is there.
func (f *Fleet) installGuest(ctx context.Context, vm Guest, progress agent.Progress) (err error) {
	ctx, done := agent.Within(ctx, agent.DeadlineTransfer, "sending mngrd")
	defer done(&err)
	out, err := lookAtMachine(ctx, vm)
	if err != nil {
		return fmt.Errorf("look at the machine: %w", err)
	}
	machine, installed, _ := strings.Cut(strings.TrimSpace(out), "\n")
	arch, ok := map[string]string{"x86_64": "amd64", "aarch64": "arm64"}[machine]
	if !ok {
		return agent.Errorf(agent.KindUsage, "the machine's architecture is %q; mngr has a guest for x86_64 and aarch64", machine)
	}
	data, sum, err := f.GuestBinary(arch)
	if err != nil {
		return err
	}
	target := ctl.VMPath + "-" + sum
	if strings.HasSuffix(installed, "mngrd-"+sum) {
		return nil
	}
	progress("sending mngrd")
	// Only constants and hexadecimal digits go into these lines.
	line := strings.NewReplacer("TARGET", target, "LINK", ctl.VMPath).Replace(
		"set -e; umask 022; mkdir -p \"$(dirname TARGET)\"; t=$(mktemp TARGET.XXXXXX); gunzip > \"$t\"; " +
			"chmod 755 \"$t\"; mv \"$t\" TARGET; ln -sfn TARGET LINK.new; mv -T LINK.new LINK; sha256sum TARGET")
	got, err := output(ctx, vm, line, data)
	if err != nil {
		return fmt.Errorf("send mngrd: %w", err)
	}
	if !strings.HasPrefix(got, sum) {
		return fmt.Errorf("send mngrd: it arrived with another checksum")
	}
	return nil
}

// lookAtMachine tells a machine's architecture and which mngrd it has.
func lookAtMachine(ctx context.Context, vm Guest) (said string, err error) {
	ctx, done := agent.Within(ctx, agent.DeadlineGuestWork, "looking at the machine")
	defer done(&err)
	return output(ctx, vm, "uname -m; readlink "+ctl.VMPath+" || true", nil)
}

// output runs a line and returns its standard output; a code other than 0 is an error.
func output(ctx context.Context, g Guest, line string, stdin []byte) (string, error) {
	out := &limited{limit: maxAnswer}
	errs := &phases{}
	code, err := g.Run(ctx, Command{Line: line, Stdin: bytes.NewReader(stdin), Stdout: out, Stderr: errs})
	if err != nil {
		return "", err
	}
	if code != 0 {
		return "", fmt.Errorf("the machine answered with code %d: %s", code, errs.last)
	}
	return out.String(), nil
}

// startContainer asks mngrd on the machine for the container and returns its host key.
func (f *Fleet) startContainer(ctx context.Context, vm Guest, inst Instance, h agent.Host, o CreateOptions, progress agent.Progress) (key string, err error) {
	ctx, done := agent.Within(ctx, agent.DeadlineSetup, "setting up host "+h.Name)
	defer done(&err)
	clientKey, err := f.Guests.EnsureKey(inst.Name())
	if err != nil {
		return "", err
	}
	image := o.Image
	switch {
	case o.Build != nil:
		image = ctl.BuiltImage(string(h.ID))
	case image == "":
		image = inst.Defaults.Image
	}
	if o.Unsafe && !h.Unsafe {
		return "", agent.Errorf(agent.KindRefused, "the machine of host %q has an identity, which unsafe start arguments would hand to its agents", h.Name).
			WithHint("mngr destroy @%s # then create it anew with --unsafe-start-args", h.Name)
	}
	startArgs := slices.Concat(inst.Defaults.StartArgs, o.StartArgs)
	if err := hostsetup.CheckStartArgs(startArgs, hostsetup.StartRules{Unsafe: o.Unsafe, SSHPort: inst.Defaults.ContainerPort}); err != nil {
		return "", err
	}
	progress("handing the host over to mngrd")
	answer, err := call(ctx, vm, ctl.Request{Op: ctl.OpHostSetup, Setup: &ctl.Setup{
		HostID: string(h.ID), HostName: h.Name, Provider: h.Provider, Image: image,
		SSHPort: inst.Defaults.ContainerPort, StartArgs: startArgs,
		AuthorizedKeys: []string{clientKey}, Idle: o.Idle,
	}}, progress)
	if err != nil {
		return "", err
	}
	if answer.Setup == nil || !strings.HasPrefix(answer.Setup.ContainerHostKey, "ssh-ed25519 ") {
		return "", errors.New("start the container: mngrd did not tell its host key")
	}
	return answer.Setup.ContainerHostKey, nil
}

// startNew makes an agent inside its host. A request that is named makes it itself, or it
// is agent.KindExists; "" takes one that is there.
func (f *Fleet) startNew(ctx context.Context, g Guest, h agent.Host, a agent.Record, o CreateOptions, request string, progress agent.Progress) (launched, error) {
	progress("preparing the agent")
	ref := &ctl.AgentRef{ID: string(a.ID), Name: a.Name}
	prepared, err := f.ask(ctx, g, ctl.Request{Op: ctl.OpAgentPrepare, Ref: ref}, progress)
	if err != nil {
		return launched{}, err
	}
	spec := &ctl.AgentSpec{
		ID: string(a.ID), Name: a.Name, Type: a.Type, Labels: a.Labels,
		Argv: o.Argv, Env: o.Env, IdleMode: o.Idle.Mode, Start: true, Request: request,
	}
	if o.Repo != nil && prepared.Prepared != nil {
		if spec.Git, err = f.push(ctx, h, *o.Repo, a.Name, prepared.Prepared.WorkDir, progress); err != nil {
			return launched{}, err
		}
	}
	progress("starting the agent")
	answer, err := f.ask(ctx, g, ctl.Request{Op: ctl.OpAgentCreate, Agent: spec}, progress)
	if err != nil {
		return launched{}, err
	}
	if answer.Agent == nil {
		return launched{}, errors.New("start the agent: mngrd sent an empty answer")
	}
	return f.lookAgain(ctx, g, *answer.Agent), nil
}

// push sends the current branch and says what the agent is to check out.
func (f *Fleet) push(ctx context.Context, h agent.Host, repo git.Repository, name, workDir string, progress agent.Progress) (sent *ctl.Git, err error) {
	branch := repo.Branch
	if branch == "" {
		branch = "detached-" + repo.Commit[:12]
	}
	command, err := f.Guests.GitCommand(h)
	if err != nil {
		return nil, err
	}
	phase := "pushing branch " + branch
	progress(phase)
	ctx, done := agent.Within(ctx, agent.DeadlineTransfer, phase)
	defer done(&err)
	// The path comes out of a container, but goes to that container's own shell only.
	if err := repo.Push(ctx, command, "root@"+h.Address+":"+workDir, branch); err != nil {
		return nil, fmt.Errorf("push branch %q: %w", branch, err)
	}
	return &ctl.Git{Base: branch, Branch: "mngr/" + name, Origin: repo.Origin, UserName: repo.UserName, UserEmail: repo.UserEmail}, nil
}
