package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"mngr/internal/azlocal/machine"
	"mngr/internal/azlocal/machine/fabric"
	"mngr/internal/azlocal/machine/guestimage"
	"mngr/internal/azlocal/machine/hostcmd"
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
func (g *guest) enliven(c *container) {
	if !c.State.Running || g.life == nil {
		g.life = newLife()
	}
}

func (l *life) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, provisionTimeout,
		fmt.Errorf("the machine has not reported within %s", provisionTimeout))
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

// boot starts a machine whose container exists in a network that is new. g.mu is held.
func (d *Driver) boot(ctx context.Context, g *guest) error {
	g.hangUp()
	pid, err := d.renewHolder(ctx, g.spec)
	if err != nil {
		return fmt.Errorf("renew the network of %s: %w", g.spec.Name, err)
	}
	if err := d.connect(ctx, g, pid, false); err != nil {
		return err
	}
	g.off.Store(false)
	if _, err := hostcmd.Run(ctx, "docker", "start", d.object(roleMachine, g.key)); err != nil {
		g.off.Store(true)
		g.hangUp()
		return fmt.Errorf("start %s: %w", g.spec.Name, err)
	}
	return nil
}

// renewHolder gives the machine a network namespace without a past.
func (d *Driver) renewHolder(ctx context.Context, spec machine.Spec) (pid int, err error) {
	name := d.object(roleHolder, spec.Key)
	if _, err := hostcmd.Run(ctx, "docker", "restart", "--time", "0", name); err != nil {
		return 0, err
	}
	c, err := inspect(ctx, name)
	if err != nil {
		return 0, err
	}
	if c == nil || !c.State.Running {
		return 0, errors.New("its holder ended at once")
	}
	return c.State.Pid, nil
}

// connect plugs the namespace of a process into the machine's network, and opens there
// what Azure has inside each machine; keep says that the machine runs in it already.
func (d *Driver) connect(ctx context.Context, g *guest, pid int, keep bool) error {
	inside, err := netns.OfProcess(pid)
	if err != nil {
		return err
	}
	g.inside = inside
	g.open = append(g.open, inside)
	g.router, err = d.plug(ctx, g.spec, g.rules, inside, keep)
	if err == nil {
		err = d.listen(ctx, g)
	}
	if err == nil {
		err = d.expose(ctx, g)
	}
	if err != nil {
		g.hangUp()
		return fmt.Errorf("connect %s: %w", g.spec.Name, err)
	}
	return nil
}

// listen opens the platform's endpoints: outside, on the machine's cable, what is outside
// on Azure, and inside what has to be on the machine's loopback.
func (d *Driver) listen(ctx context.Context, g *guest) error {
	device := fabric.Port{Key: g.key}.Device()
	cable := g.router.Namespace()
	metadata, err := cable.ListenTCP(ctx, fabric.Metadata(), device)
	if err != nil {
		return err
	}
	g.open = append(g.open, metadata)
	d.services.ServeIMDS(g.key, metadata)

	wire, err := cable.ListenTCP(ctx, netip.AddrPortFrom(fabric.WireServer(), 80), device)
	if err != nil {
		return err
	}
	g.serve(wire, fabric.WireHandler(g.life.reported))

	if arm := d.services.ARMAddress(); arm.IsValid() {
		l, err := g.inside.ListenTCP(ctx, arm, "")
		if err != nil {
			return err
		}
		g.open = append(g.open, l)
		d.services.ServeARM(l)
	}

	images, err := d.images.Registry(ctx)
	if err != nil {
		return err
	}
	mirror, err := g.inside.ListenTCP(ctx, guestimage.Registry(), "")
	if err != nil {
		return err
	}
	g.serve(mirror, images)
	return nil
}

func (g *guest) serve(l net.Listener, h http.Handler) {
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	g.open = append(g.open, server)
	g.served.Go(func() { _ = server.Serve(l) })
}

// expose leads the public address, if there is one, to the machine. The way starts in the
// router, so that the machine sees the connection come in by its network interface.
func (d *Driver) expose(ctx context.Context, g *guest) error {
	if !g.spec.PublicIP.IsValid() {
		return nil
	}
	outside, private := g.router.Namespace(), g.spec.PrivateIP
	dial := func(ctx context.Context, port uint16) (*net.TCPConn, error) {
		return outside.DialTCP(ctx, netip.AddrPortFrom(private, port))
	}
	d.mu.Lock()
	forward := d.forward
	d.mu.Unlock()
	if forward == nil {
		return errors.New("the driver is closed")
	}
	return forward.Set(ctx, g.spec.PublicIP, dial, g.rules)
}

// hide makes the public address silent.
func (d *Driver) hide(ctx context.Context, g *guest) error {
	d.mu.Lock()
	forward := d.forward
	d.mu.Unlock()
	if forward == nil || !g.spec.PublicIP.IsValid() {
		return nil
	}
	return forward.Unset(ctx, g.spec.PublicIP)
}

// hangUp closes what connect has opened; the cable stays.
func (g *guest) hangUp() {
	for _, c := range g.open {
		_ = c.Close()
	}
	g.served.Wait()
	g.open, g.router, g.inside = nil, nil, nil
}
