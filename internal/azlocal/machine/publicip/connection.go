package publicip

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"

	"mngr/internal/azlocal/machine"
)

// connection is a client's and what leads on from it. Whoever cuts it off closes both: a
// machine without power says nothing more, and its end alone would be waited for.
type connection struct {
	client *net.TCPConn

	mu     sync.Mutex
	inside *net.TCPConn // nil until the machine has taken it
	line   machine.Line
}

func (c *connection) lead(inside *net.TCPConn, line machine.Line) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.inside, c.line = inside, line
}

func (c *connection) close() {
	c.client.Close()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.inside != nil {
		c.inside.Close()
		c.line.Close()
	}
}

// reset ends the connection so that both ends hear of it at once, whatever was under way.
func (c *connection) reset() {
	_ = c.client.SetLinger(0)
	c.mu.Lock()
	if c.inside != nil {
		_ = c.inside.SetLinger(0)
	}
	c.mu.Unlock()
	c.close()
}

// splice copies both ways and hands on each side's end of sending. When one copy fails, or
// the line is cut, both end.
func (c *connection) splice(ctx context.Context) {
	var both sync.WaitGroup
	both.Go(func() { c.pipe(ctx, c.inside, c.client) })
	both.Go(func() { c.pipe(ctx, c.client, c.inside) })
	both.Wait()
}

func (c *connection) pipe(ctx context.Context, to, from *net.TCPConn) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if passed := c.pass(ctx, to, buffer[:n]); passed != nil {
			c.reset()
			return
		}
		switch {
		case errors.Is(err, io.EOF):
			_ = to.CloseWrite()
			return
		case err != nil:
			c.close()
			return
		}
	}
}

// pass writes data as the line lets it through, and sees that the line is up afterwards:
// who has sent the last byte before a cut is not left waiting.
func (c *connection) pass(ctx context.Context, to io.Writer, data []byte) error {
	for len(data) > 0 {
		n, err := c.line.Pass(ctx, len(data))
		if err == nil {
			_, err = to.Write(data[:n])
		}
		if err != nil {
			return err
		}
		data = data[n:]
	}
	_, err := c.line.Pass(ctx, 0)
	return err
}
