// Package tmux speaks to the container's tmux server, in whose sessions the agents live.
// Only the guest program imports it.
package tmux

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Window is the name of the window, in a session of ours, that an agent runs in.
const Window = "agent"

// Columns and rows of a session that nobody is attached to.
const (
	columns = "200"
	rows    = "50"
)

// answerTime is far above what a tmux server needs that answers at all.
const answerTime = 10 * time.Second

// ErrMissing says that the image has no tmux.
var ErrMissing = errors.New("the image has no tmux")

// Client runs tmux. The zero value speaks to root's default server.
type Client struct {
	Socket string   // path of another server's socket; "" for the default one
	Env    []string // of tmux, and of the server if this call starts it
}

// Pane is one pane of a session.
type Pane struct {
	ID       string // unique in the server, as %3
	Server   int    // process id of the server
	Session  string
	Window   string
	PID      int
	Dead     bool
	ExitCode *int  // of a dead pane; 128 and the signal's number; nil where tmux cannot tell
	Activity int64 // time of its window's last output, in Unix seconds of the server's clock
}

// No field but the last, the window's name, can contain a colon.
const paneFormat = "#{pid}:#{pane_id}:#{pane_pid}:#{pane_dead}:#{pane_dead_status}:#{pane_dead_signal}:#{window_activity}:#{session_name}:#{window_name}"

// Panes returns all panes of all sessions, and none if no server runs.
//
// A server that misses a SIGCHLD (3.3a does so for programs that end at once) knows a pane
// to be dead and has not collected its process; another SIGCHLD makes it look.
func (c Client) Panes(ctx context.Context) ([]Pane, error) {
	panes, err := c.list(ctx)
	i := slices.IndexFunc(panes, func(p Pane) bool { return p.Dead && p.ExitCode == nil })
	if err != nil || i < 0 {
		return panes, err
	}
	if err := syscall.Kill(panes[i].Server, syscall.SIGCHLD); err != nil {
		return panes, nil
	}
	return c.list(ctx)
}

func (c Client) list(ctx context.Context) ([]Pane, error) {
	out, err := c.run(ctx, "list-panes", "-a", "-F", paneFormat)
	if errors.Is(err, errNoServer) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list tmux panes: %w", err)
	}
	var panes []Pane
	for line := range strings.Lines(out) {
		if p, ok := parsePane(strings.TrimSuffix(line, "\n")); ok {
			panes = append(panes, p)
		}
	}
	return panes, nil
}

func parsePane(line string) (Pane, bool) {
	f := strings.SplitN(line, ":", 9)
	if len(f) != 9 {
		return Pane{}, false
	}
	server, err := strconv.Atoi(f[0])
	if err != nil || server <= 1 { // it is going to get a signal
		return Pane{}, false
	}
	pid, err := strconv.Atoi(f[2])
	if err != nil {
		return Pane{}, false
	}
	p := Pane{Server: server, ID: f[1], PID: pid, Dead: f[3] == "1", Session: f[7], Window: f[8]}
	if code, err := strconv.Atoi(f[4]); err == nil {
		p.ExitCode = &code
	}
	if sig, err := strconv.Atoi(f[5]); err == nil { // tmux 3.3 and later
		p.ExitCode = new(128 + sig)
	}
	p.Activity, _ = strconv.ParseInt(f[6], 10, 64)
	return p, true
}

// New starts a detached session whose window runs argv, and whose pane stays when argv
// ends, so that its exit status can be read. Both are one tmux command sequence: the
// server looks at nothing else between them.
func (c Client) New(ctx context.Context, session, dir string, argv []string) error {
	args := []string{"new-session", "-d", "-s", session, "-n", Window, "-x", columns, "-y", rows, "-c", dir, "--"}
	args = append(args, argv...)
	args = append(args, ";", "set-option", "-w", "-t", target(session), "remain-on-exit", "on")
	if _, err := c.run(ctx, args...); err != nil {
		return fmt.Errorf("start tmux session %s: %w", session, err)
	}
	return nil
}

// Setenv sets a variable for windows that are opened in the session from now on.
func (c Client) Setenv(ctx context.Context, session, key, value string) error {
	if _, err := c.run(ctx, "set-environment", "-t", "="+session, key, value); err != nil {
		return fmt.Errorf("set %s in tmux session %s: %w", key, session, err)
	}
	return nil
}

// Rename gives a session another name; an absent one is fine. Who is attached stays so.
func (c Client) Rename(ctx context.Context, from, to string) error {
	_, err := c.run(ctx, "rename-session", "-t", "="+from, to)
	if err == nil || errors.Is(err, errNoServer) || errors.Is(err, errNoSession) {
		return nil
	}
	return fmt.Errorf("rename tmux session %s: %w", from, err)
}

// Kill ends a session; an absent one is fine.
func (c Client) Kill(ctx context.Context, session string) error {
	_, err := c.run(ctx, "kill-session", "-t", "="+session)
	if err == nil || errors.Is(err, errNoServer) || errors.Is(err, errNoSession) {
		return nil
	}
	return fmt.Errorf("end tmux session %s: %w", session, err)
}

// target names the agent's window exactly: tmux takes a name without "=" as a prefix.
func target(session string) string { return "=" + session + ":=" + Window }

var (
	errNoServer  = errors.New("no tmux server runs")
	errNoSession = errors.New("no such tmux session")
)

func (c Client) run(ctx context.Context, args ...string) (string, error) {
	if c.Socket != "" {
		args = append([]string{"-S", c.Socket}, args...)
	}
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, "tmux", args...)
	cmd.Env = c.Env
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err == nil {
		return string(out), nil
	}
	if errors.Is(err, exec.ErrNotFound) {
		return "", ErrMissing
	}
	return "", classify(strings.TrimSpace(stderr.String()), err)
}

// classify knows the messages of tmux 2.6 to 3.5 (client.c, cmd-find.c).
func classify(message string, err error) error {
	switch {
	case strings.Contains(message, "no server running"), strings.Contains(message, "error connecting to"),
		strings.Contains(message, "server exited"), strings.Contains(message, "lost server"),
		strings.Contains(message, "no current target"): // it has no session and is about to exit
		return errNoServer
	case strings.Contains(message, "can't find session"), strings.Contains(message, "session not found"):
		return errNoSession
	case message != "":
		return errors.New(message)
	}
	return err
}
