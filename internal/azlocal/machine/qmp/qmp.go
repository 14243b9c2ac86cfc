// Package qmp speaks the two JSON protocols of QEMU over their Unix sockets: the machine
// protocol with the emulator itself (qemu-qmp-ref), and that of the agent inside the guest
// (qemu-ga-ref), which is alike. Only internal/azlocal/machine/qemu imports it.
package qmp

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"time"
)

// maxLine bounds an answer: the agent returns at most 16 MB of each output stream, in base64.
const maxLine = 64 << 20

// Error is a command that the other side refused.
type Error struct {
	Class string `json:"class"`
	Desc  string `json:"desc"`
}

// Error returns what the other side says.
func (e *Error) Error() string { return e.Desc }

// Conn is a connection whose other side takes commands.
type Conn struct {
	conn net.Conn
	in   *bufio.Reader
	stop func() bool
}

// message is whatever comes over the line: a greeting, an answer or an event.
type message struct {
	Greeting json.RawMessage `json:"QMP"`
	Return   json.RawMessage `json:"return"`
	Error    *Error          `json:"error"`
	Event    string          `json:"event"`
}

// Dial connects to the emulator's socket. The end of ctx ends the connection.
func Dial(ctx context.Context, path string) (*Conn, error) {
	c, err := dial(ctx, path)
	if err != nil {
		return nil, err
	}
	m, err := c.read()
	if err == nil && m.Greeting == nil {
		err = errors.New("no greeting")
	}
	if err == nil {
		err = c.Execute("qmp_capabilities", nil, nil)
	}
	if err != nil {
		c.Close()
		return nil, fmt.Errorf("greet the emulator: %w", err)
	}
	return c, nil
}

// DialAgent connects to the guest's agent. It waits for one that does not run yet until ctx
// ends: what was sent earlier is still in the line then.
func DialAgent(ctx context.Context, path string) (*Conn, error) {
	c, err := dial(ctx, path)
	if err != nil {
		return nil, err
	}
	if err := c.synchronize(rand.Int64N(1 << 50)); err != nil { //nolint:gosec // tells one's own answer from an older one, and is no secret
		c.Close()
		return nil, fmt.Errorf("reach the guest's agent: %w", err)
	}
	return c, nil
}

func dial(ctx context.Context, path string) (*Conn, error) {
	// A socket's address is short: the directory's own path may not be.
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	conn, err := new(net.Dialer).DialContext(ctx, "unix", fmt.Sprintf("/proc/self/fd/%d/%s", dir.Fd(), filepath.Base(path)))
	if err != nil {
		return nil, err
	}
	return newConn(ctx, conn), nil
}

func newConn(ctx context.Context, conn net.Conn) *Conn {
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	return &Conn{conn: conn, in: bufio.NewReader(conn), stop: stop}
}

// Close ends the connection.
func (c *Conn) Close() error {
	c.stop()
	return c.conn.Close()
}

// Execute runs a command and decodes what it returns into out, unless nil. The error is an
// *Error where the other side refuses. Events meanwhile are passed over.
func (c *Conn) Execute(command string, arguments, out any) error {
	if err := c.write(command, arguments, nil); err != nil {
		return err
	}
	for {
		m, err := c.read()
		switch {
		case err != nil:
			return fmt.Errorf("%s: %w", command, err)
		case m.Error != nil:
			return fmt.Errorf("%s: %w", command, m.Error)
		case m.Return == nil:
		case out == nil:
			return nil
		default:
			if err := json.Unmarshal(m.Return, out); err != nil {
				return fmt.Errorf("%s: decode the answer: %w", command, err)
			}
			return nil
		}
	}
}

// synchronize passes over what an earlier connection has left behind: the agent repeats the
// number after a byte that is in no text.
func (c *Conn) synchronize(id int64) error {
	const sentinel = 0xff
	if err := c.write("guest-sync-delimited", map[string]int64{"id": id}, []byte{sentinel}); err != nil {
		return err
	}
	for {
		if _, err := c.in.ReadBytes(sentinel); err != nil {
			return err
		}
		m, err := c.read()
		if err != nil {
			return err
		}
		var got int64
		if json.Unmarshal(m.Return, &got) == nil && got == id {
			return nil
		}
	}
}

func (c *Conn) write(command string, arguments any, before []byte) error {
	line, err := json.Marshal(struct {
		Execute   string `json:"execute"`
		Arguments any    `json:"arguments,omitempty"`
	}{command, arguments})
	if err != nil {
		return fmt.Errorf("encode %s: %w", command, err)
	}
	if _, err := c.conn.Write(append(append(before, line...), '\n')); err != nil {
		return fmt.Errorf("%s: %w", command, err)
	}
	return nil
}

func (c *Conn) read() (message, error) {
	var m message
	line, err := readLine(c.in)
	if err != nil {
		return m, err
	}
	if err := json.Unmarshal(line, &m); err != nil {
		return m, fmt.Errorf("decode a message: %w", err)
	}
	return m, nil
}

// readLine refuses a line that is too long for its memory's sake.
func readLine(in *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := in.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case len(line) > maxLine:
			return nil, errors.New("a message is too long")
		case !errors.Is(err, bufio.ErrBufferFull):
			return line, err
		}
	}
}
