package rig

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Provider is the instance of mngr's settings that operators work with.
const Provider = "azure-local"

// commandLimit is after which time a command hangs, unless its operator says otherwise.
const commandLimit = 2 * time.Minute

// Operator is somebody who uses mngr on a laptop of their own.
type Operator struct {
	Home  string
	Dir   string        // the state directory that names the principal; default the instance's own
	Env   []string      // beyond the rig's
	Limit time.Duration // after which a command hangs; 0: two minutes

	azure *Azure
}

// Operator returns one with an empty home. A name may be used again for another laptop:
// homes are never shared.
func (a *Azure) Operator(name string) (*Operator, error) {
	home, err := os.MkdirTemp(a.base, name+"-")
	if err != nil {
		return nil, fmt.Errorf("make a home: %w", err)
	}
	return &Operator{Home: home, Dir: a.Dir, azure: a}, nil
}

func (a *Azure) environment(home, dir string) []string {
	kept := []string{}
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "MNGR") && !strings.HasPrefix(kv, "AZURE_") && !strings.HasPrefix(kv, "HOME=") {
			kept = append(kept, kv)
		}
	}
	return append(kept, "HOME="+home, "MNGR_HOST_DIR="+filepath.Join(home, ".mngr"), "MNGR_AZLOCAL_DIR="+dir,
		"MNGR__PROVIDERS__AZURE__IS_ENABLED=false", "GIT_CONFIG_NOSYSTEM=1", "TERM=dumb")
}

// Process is a command under way.
type Process struct {
	args   []string
	cmd    *exec.Cmd
	out    output
	errs   output
	began  time.Time
	done   chan struct{}
	result Result // once done is closed
}

// Result is how a command ended.
type Result struct {
	Args   []string
	Code   int // -1: a signal ended it
	Stdout string
	Stderr string
	Took   time.Duration
	Hung   bool // it was ended because its time was over; Stderr has its goroutines
}

// Start begins a command. When its time is over, or ctx ends, it is told to show its
// goroutines, and soon after killed.
func (o *Operator) Start(ctx context.Context, args ...string) (*Process, error) {
	limit := o.Limit
	if limit == 0 {
		limit = commandLimit
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	p := &Process{args: args, cmd: exec.CommandContext(ctx, o.azure.Binary, args...), began: time.Now(), done: make(chan struct{})}
	p.cmd.Env = append(o.azure.environment(o.Home, o.Dir), o.Env...)
	p.cmd.Dir = o.Home
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.errs
	p.cmd.Cancel = func() error { return p.cmd.Process.Signal(syscall.SIGQUIT) }
	p.cmd.WaitDelay = 5 * time.Second
	if err := p.cmd.Start(); err != nil {
		cancel()
		return nil, fmt.Errorf("run mngr: %w", err)
	}
	go func() {
		defer cancel()
		_ = p.cmd.Wait() // the code tells
		p.result = Result{
			Args: args, Code: p.cmd.ProcessState.ExitCode(), Stdout: p.out.String(), Stderr: p.errs.String(),
			Took: time.Since(p.began), Hung: errors.Is(ctx.Err(), context.DeadlineExceeded),
		}
		close(p.done)
	}()
	return p, nil
}

// Began is when the command was started.
func (p *Process) Began() time.Time { return p.began }

// Done is closed when the command has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Stderr is what the command has said so far.
func (p *Process) Stderr() string { return p.errs.String() }

// Signal sends a signal; a command that has ended gets none.
func (p *Process) Signal(sig os.Signal) error {
	if err := p.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("signal mngr: %w", err)
	}
	return nil
}

// Wait returns how the command ended.
func (p *Process) Wait() Result {
	<-p.done
	return p.result
}

// Run runs a command to its end. The error is not the command's, whose code is in the result.
func (o *Operator) Run(ctx context.Context, args ...string) (Result, error) {
	p, err := o.Start(ctx, args...)
	if err != nil {
		return Result{Args: args}, err
	}
	return p.Wait(), nil
}

// Must runs a command that has to succeed, and decodes its output into out, unless nil.
func (o *Operator) Must(ctx context.Context, out any, args ...string) error {
	r, err := o.Run(ctx, args...)
	if err != nil {
		return err
	}
	if r.Code != 0 {
		return fmt.Errorf("%s", r)
	}
	if out == nil {
		return nil
	}
	return r.Decode(out)
}

// Decode reads the command's output as JSON.
func (r Result) Decode(out any) error {
	if err := json.Unmarshal([]byte(r.Stdout), out); err != nil {
		return fmt.Errorf("%s: %w", r, err)
	}
	return nil
}

// String is a command as a failure shows it.
func (r Result) String() string {
	return fmt.Sprintf("$ mngr %s\n%s%s[code %d after %s]", strings.Join(r.Args, " "), r.Stdout, r.Stderr, r.Code, r.Took.Round(time.Millisecond))
}

// output collects what a command writes, and may be read meanwhile.
type output struct {
	mu   sync.Mutex
	data bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.data.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.data.String()
}
