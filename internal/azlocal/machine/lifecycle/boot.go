package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"time"

	"mngr/internal/azlocal/machine"
	"mngr/internal/azlocal/machine/fabric"
	"mngr/internal/azlocal/machine/guestimage"
	"mngr/internal/azlocal/machine/publicip"
)

// boot starts a machine that has its disk in a network that is new. g.mu is held.
func (d *Driver) boot(ctx context.Context, g *guest) error {
	g.hangUp()
	if err := d.connect(ctx, g, false); err != nil {
		return err
	}
	g.off.Store(false)
	if err := d.hypervisor.Boot(ctx, g.spec, d.loopback()); err != nil {
		g.off.Store(true)
		g.hangUp()
		return fmt.Errorf("start %s: %w", g.spec.Name, err)
	}
	return nil
}

// connect plugs the machine's namespace into its network, and opens there what Azure has
// inside each machine; keep says that the machine runs in it already.
func (d *Driver) connect(ctx context.Context, g *guest, keep bool) error {
	inside, err := d.hypervisor.Namespace(ctx, g.spec, !keep)
	if err != nil {
		return fmt.Errorf("make the network of %s: %w", g.spec.Name, err)
	}
	g.inside = inside
	g.open = append(g.open, inside)
	g.router, err = d.plug(ctx, g, keep)
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

// loopback is what a machine finds on its own loopback.
func (d *Driver) loopback() []netip.AddrPort {
	all := []netip.AddrPort{guestimage.Registry()}
	if arm := d.services.ARMAddress(); arm.IsValid() {
		all = append(all, arm)
	}
	return all
}

// listen opens the platform's endpoints on the machine's cable, outside of it as on Azure,
// and those on its loopback.
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

	images, err := d.hypervisor.Registry(ctx)
	if err != nil {
		return err
	}
	for _, addr := range d.loopback() {
		l, err := d.listenLoopback(ctx, g, addr)
		if err != nil {
			return err
		}
		if addr == guestimage.Registry() {
			g.serve(l, images)
			continue
		}
		g.open = append(g.open, l)
		d.services.ServeARM(l)
	}
	return nil
}

// listenLoopback listens where the machine's own loopback leads to.
func (d *Driver) listenLoopback(ctx context.Context, g *guest, addr netip.AddrPort) (net.Listener, error) {
	if !d.hypervisor.OwnLoopback() {
		return g.inside.ListenTCP(ctx, addr, "")
	}
	return g.router.Namespace().ListenTCP(ctx, netip.AddrPortFrom(fabric.WireServer(), addr.Port()), fabric.Port{Key: g.key}.Device())
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
	taken := func(port uint16, cut func()) machine.Line { return d.services.Connected(g.key, port, cut) }
	return forward.Set(ctx, g.spec.PublicIP, publicip.Way{Dial: dial, Taken: taken}, g.rules)
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
