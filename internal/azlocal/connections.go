package azlocal

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"time"

	"github.com/google/uuid"

	"mngr/internal/azlocal/activity"
	"mngr/internal/azlocal/compute"
	"mngr/internal/azlocal/fabric"
	"mngr/internal/azlocal/fault"
	"mngr/internal/azlocal/machine"
)

// connection is one to a machine's public address, which the log and the faults know.
type connection struct {
	*fault.Line
	server *Server
	began  activity.Entry

	mu   sync.Mutex
	cut  bool
	over bool
}

// Connected implements machine.Services.
func (s *Server) Connected(key string, port uint16, cut func()) machine.Line {
	e := activity.Entry{Time: s.world.Now().UTC(), Operation: fault.TCPPrefix + strconv.Itoa(int(port)), ID: uuid.NewString()}
	s.world.View(func(t *fabric.Tx) {
		if d := compute.ByKey(t, key); d != nil {
			e.Resource = d.ID
		}
	})
	c := &connection{server: s, began: e}
	c.Line = s.world.Faults.Connect(fault.Call{Operation: e.Operation, Resource: e.Resource}, func() {
		c.note(fault.ErrCut)
		cut()
	})
	c.began.Fault = c.Hit().ID()
	s.record(c.began)
	return c
}

// Pass implements machine.Line.
func (c *connection) Pass(ctx context.Context, n int) (int, error) {
	n, err := c.Line.Pass(ctx, n)
	c.note(err)
	return n, err
}

func (c *connection) note(err error) {
	if errors.Is(err, fault.ErrCut) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.cut = true
	}
}

// Close implements machine.Line and logs the connection's end.
func (c *connection) Close() {
	hit, passed := c.Hit(), c.Passed()
	c.Line.Close()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over {
		return
	}
	c.over = true
	e := c.began
	e.Time, e.Fault, e.Bytes = c.server.world.Now().UTC(), hit.ID(), passed
	e.Ended, e.EndedMS = activity.Succeeded, float64(e.Time.Sub(c.began.Time).Microseconds())/float64(time.Millisecond/time.Microsecond)
	switch {
	case c.cut && hit.Is(fault.RefuseConnection):
		e.Ended, e.EndedCode = activity.Failed, "ConnectionRefused"
	case c.cut:
		e.Ended, e.EndedCode = activity.Failed, "ConnectionCut"
	}
	c.server.record(e)
}
