package ssh

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"golang.org/x/crypto/ssh"

	"mngr/internal/agent"
)

// Command is what to run on the other side.
type Command struct {
	Line   string            // one shell line, run by the server's `sh -c`
	Env    map[string]string // sent as SSH environment requests; the server may refuse
	Stdin  io.Reader
	Stdout io.Writer
	Stderr io.Writer
}

// Run runs one command and returns its exit code. The error is nil whenever the command
// ended by itself, whatever its code, and what Stdout or Stderr failed with where one of
// them did; a command killed by a signal has 128 and the signal's number, as shells count.
func (c *Client) Run(ctx context.Context, cmd Command) (int, error) {
	// Every step waits for the peer, which may be hostile: only the connection's end is sure
	// to wake it.
	hangUp := context.AfterFunc(ctx, func() { _ = c.conn.Close() })
	defer hangUp()
	session, err := c.newSession()
	if err != nil {
		return 0, broken(ctx, "open an ssh session", err)
	}
	defer session.Close()
	for name, value := range cmd.Env {
		if err := session.Setenv(name, value); err != nil {
			return 0, broken(ctx, "the ssh server refuses the variable "+name, err)
		}
	}
	reading, leave := context.WithCancelCause(ctx)
	defer leave(nil)
	session.Stdout, session.Stderr = read(cmd.Stdout, leave), read(cmd.Stderr, leave)
	stdin, err := session.StdinPipe()
	if err != nil {
		return 0, fmt.Errorf("open an ssh session: %w", err)
	}
	if err := session.Start(cmd.Line); err != nil {
		return 0, broken(ctx, "start a command over ssh", err)
	}
	// Not waited for: a reader such as a terminal may never end, the session does.
	go func() {
		if cmd.Stdin != nil {
			_, _ = io.Copy(stdin, cmd.Stdin)
		}
		_ = stdin.Close()
	}()
	hangUp()
	defer politely(reading, session, c.conn)()
	return exitCode(reading, session.Wait())
}

// reader takes what a command writes. One that fails ends the command: nobody would take
// the rest, and the command would wait for somebody to do so.
type reader struct {
	io.Writer
	leave context.CancelCauseFunc
}

func read(w io.Writer, leave context.CancelCauseFunc) io.Writer {
	if w == nil {
		return nil
	}
	return reader{w, leave}
}

func (r reader) Write(b []byte) (int, error) {
	n, err := r.Writer.Write(b)
	if err != nil {
		r.leave(err)
	}
	return n, err
}

// newSession opens a session. On a connection that has just ended x/crypto may wait for the
// answer for ever: its mux forgets the channels there are, closes the connection only then,
// and a channel of the moment between is nobody's (golang.org/x/crypto/ssh, mux.loop).
func (c *Client) newSession() (*ssh.Session, error) {
	type opened struct {
		session *ssh.Session
		err     error
	}
	answer := make(chan opened, 1)
	go func() {
		session, err := c.conn.NewSession()
		answer <- opened{session, err}
	}()
	select {
	case o := <-answer:
		return o.session, o.err
	case <-c.ended:
		return nil, errors.New("the connection has ended")
	}
}

// politely asks a command to end when ctx does, and hangs up when it does not.
func politely(ctx context.Context, session *ssh.Session, conn *ssh.Client) (stop func()) {
	done := make(chan struct{})
	go func() {
		select {
		case <-done:
			return
		case <-ctx.Done():
		}
		_ = session.Signal(ssh.SIGTERM)
		select {
		case <-done:
		case <-time.After(time.Duration(agent.DeadlineHangUp)):
			_ = conn.Close()
		}
	}()
	return func() { close(done) }
}

// broken says why a step failed: the end of ctx before what followed from it.
func broken(ctx context.Context, what string, err error) error {
	switch cause := context.Cause(ctx); {
	case cause == nil:
		return agent.Errorf(agent.KindUnreachable, "%s: %w", what, err)
	case errors.Is(cause, context.DeadlineExceeded):
		return &agent.Error{Kind: agent.KindUnreachable, Cause: what + ": no answer in time", Err: cause}
	default:
		return fmt.Errorf("%s: %w", what, cause)
	}
}

func exitCode(ctx context.Context, err error) (int, error) {
	if err == nil {
		return 0, nil
	}
	if ctx.Err() != nil {
		return 0, broken(ctx, "a command over ssh", err)
	}
	exit, ok := errors.AsType[*ssh.ExitError](err)
	switch {
	case !ok:
		return 0, broken(ctx, "the ssh connection broke", err)
	case exit.Signal() != "":
		return 128 + signalNumber(exit.Signal()), nil
	}
	return exit.ExitStatus(), nil
}

// signalNumber gives Linux's numbers for the names of RFC 4254, section 6.10.
func signalNumber(name string) int {
	numbers := map[string]int{
		"HUP": 1, "INT": 2, "QUIT": 3, "ILL": 4, "ABRT": 6, "FPE": 8, "KILL": 9,
		"USR1": 10, "SEGV": 11, "USR2": 12, "PIPE": 13, "ALRM": 14, "TERM": 15,
	}
	return numbers[name]
}
