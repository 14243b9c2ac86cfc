package ssh

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

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
// ended by itself, whatever its code; a command killed by a signal has 128 and the
// signal's number, as shells count.
func (c *Client) Run(ctx context.Context, cmd Command) (int, error) {
	session, err := c.conn.NewSession()
	if err != nil {
		return 0, agent.Errorf(agent.KindUnreachable, "open an ssh session: %w", err)
	}
	defer session.Close()
	for name, value := range cmd.Env {
		if err := session.Setenv(name, value); err != nil {
			return 0, fmt.Errorf("the ssh server refuses the variable %s: %w", name, err)
		}
	}
	session.Stdout, session.Stderr = cmd.Stdout, cmd.Stderr
	stdin, err := session.StdinPipe()
	if err != nil {
		return 0, fmt.Errorf("open an ssh session: %w", err)
	}
	if err := session.Start(cmd.Line); err != nil {
		return 0, agent.Errorf(agent.KindUnreachable, "start a command over ssh: %w", err)
	}
	// Not waited for: a reader such as a terminal may never end, the session does.
	go func() {
		if cmd.Stdin != nil {
			_, _ = io.Copy(stdin, cmd.Stdin)
		}
		_ = stdin.Close()
	}()
	stop := context.AfterFunc(ctx, func() {
		_ = session.Signal(ssh.SIGTERM)
		_ = session.Close()
	})
	defer stop()
	return exitCode(ctx, session.Wait())
}

func exitCode(ctx context.Context, err error) (int, error) {
	if err == nil {
		return 0, nil
	}
	if ctx.Err() != nil {
		return 0, fmt.Errorf("a command over ssh: %w", context.Cause(ctx))
	}
	exit, ok := errors.AsType[*ssh.ExitError](err)
	switch {
	case !ok:
		return 0, agent.Errorf(agent.KindUnreachable, "the ssh connection broke: %w", err)
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

// Output runs a command, returns its standard output, and makes an error of a code other
// than 0 that ends with the last lines of its standard error.
func (c *Client) Output(ctx context.Context, line string, stdin io.Reader) ([]byte, error) {
	var out, errs bytes.Buffer
	code, err := c.Run(ctx, Command{Line: line, Stdin: stdin, Stdout: &out, Stderr: &errs})
	if err != nil {
		return nil, err
	}
	if code != 0 {
		return out.Bytes(), fmt.Errorf("remote command ended with %d: %s", code, tail(errs.Bytes(), 400))
	}
	return out.Bytes(), nil
}

func tail(text []byte, n int) string {
	text = bytes.TrimSpace(text)
	if len(text) > n {
		text = text[len(text)-n:]
	}
	return string(text)
}
