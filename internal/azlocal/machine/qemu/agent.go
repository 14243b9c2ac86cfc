package qemu

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"time"

	"mngr/internal/azlocal/machine"
	"mngr/internal/azlocal/machine/qmp"
)

var errEndedAtOnce = errors.New("the machine ended at once")

// agentPause is how long to wait before asking again whether a command has ended.
const agentPause = 200 * time.Millisecond

// outcome is what the agent tells of a command (guest-exec-status in qemu-ga-ref).
type outcome struct {
	Exited bool   `json:"exited"`
	Code   int    `json:"exitcode"`
	Signal int    `json:"signal"`
	Out    []byte `json:"out-data"`
	Err    []byte `json:"err-data"`
}

// result follows the shell: a signal is told as 128 and its number.
func (o outcome) result() machine.Result {
	if o.Signal != 0 {
		o.Code = 128 + o.Signal
	}
	return machine.Result{Code: o.Code, Stdout: o.Out, Stderr: o.Err}
}

// guestPath is where commands look for programs.
const guestPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// Exec hands a command to the agent in the guest. A machine that boots is waited for. The
// agent lets a command go on that nobody asks for any more: it is ended in the guest. It
// keeps the first machine.MaxOutput bytes of each stream, not the last ones.
func (h *hypervisor) Exec(ctx context.Context, key string, argv []string, stdin io.Reader) (machine.Result, error) {
	if len(argv) == 0 {
		return machine.Result{}, errors.New("no command was given")
	}
	leash := machine.NewLeash()
	command := map[string]any{"path": argv[0], "arg": argv[1:], "capture-output": true,
		"env": []string{guestPath, "HOME=/root", string(leash)}}
	if stdin != nil {
		input, err := io.ReadAll(stdin)
		if err != nil {
			return machine.Result{}, err
		}
		command["input-data"] = input
	}
	var started struct {
		PID int `json:"pid"`
	}
	if err := h.ask(ctx, key, "guest-exec", command, &started); err != nil {
		return machine.Result{}, err
	}
	result, err := h.attend(ctx, key, started)
	if ctx.Err() != nil {
		leash.Pull(ctx, func(ctx context.Context, argv []string) {
			end := map[string]any{"path": argv[0], "arg": argv[1:], "env": []string{guestPath}}
			_ = h.ask(ctx, key, "guest-exec", end, nil) // the machine may have gone
		})
	}
	return result, err
}

// attend asks for the outcome of a command until it has ended.
func (h *hypervisor) attend(ctx context.Context, key string, started any) (machine.Result, error) {
	tick := time.NewTicker(agentPause)
	defer tick.Stop()
	for {
		var o outcome
		if err := h.ask(ctx, key, "guest-exec-status", started, &o); err != nil {
			return machine.Result{}, err
		}
		if o.Exited {
			return o.result(), nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return machine.Result{}, context.Cause(ctx)
		}
	}
}

// ask uses a connection of its own, since the agent serves one at a time: commands that
// run at once take turns.
func (h *hypervisor) ask(ctx context.Context, key, command string, arguments, out any) error {
	conn, err := qmp.DialAgent(ctx, filepath.Join(h.dir(key), agentFile))
	if err == nil {
		err = conn.Execute(command, arguments, out)
		conn.Close()
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}
