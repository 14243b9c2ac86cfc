package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"mngr/internal/azlocal/machine"
	"mngr/internal/azlocal/machine/fabric"
	"mngr/internal/azlocal/machine/netns"
)

// provisionTimeout is how long a machine may take to report; Azure fails the operation
// with OSProvisioningTimedOut after 20 minutes.
const provisionTimeout = 20 * time.Minute

var errEnded = errors.New("the machine ended before it had booted")

// guest is what the driver knows of one machine.
type guest struct {
	key string

	mu     sync.Mutex // held by the one operation that changes the machine
	spec   machine.Spec
	rules  []machine.Rule
	off    atomic.Bool // ended by the driver, or found ended: its end is no news
	life   *life
	router *fabric.Router   // nil while the machine has no network
	inside *netns.Namespace // the machine's own
	open   []io.Closer      // listeners and servers of this boot
	served sync.WaitGroup
}

// locked runs f as the machine's only operation.
func (g *guest) locked(f func() (*life, error)) (*life, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return f()
}

// life lasts from a boot that was asked for, over reboots of the guest's own, to the end.
type life struct {
	ready, ended         chan struct{}
	readyOnce, endedOnce sync.Once
}

func newLife() *life { return &life{ready: make(chan struct{}), ended: make(chan struct{})} }

func (l *life) reported() { l.readyOnce.Do(func() { close(l.ready) }) }

// end may be called without any life.
func (l *life) end() {
	if l != nil {
		l.endedOnce.Do(func() { close(l.ended) })
	}
}

// enliven begins a new life unless the machine's is not over: what the machine reports, or
// has reported, goes to the life in which it was connected.
func (g *guest) enliven(status Status) {
	if !status.Running || g.life == nil {
		g.life = newLife()
	}
}

func (l *life) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, provisionTimeout,
		fmt.Errorf("%w within %s", machine.ErrNotReported, provisionTimeout))
	defer cancel()
	select {
	case <-l.ready:
		return nil
	case <-l.ended:
		return errEnded
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
