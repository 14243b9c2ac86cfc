package lifecycle

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"

	"mngr/internal/azlocal/machine"
	"mngr/internal/azlocal/machine/fabric"
)

// network is a virtual network that has machines.
type network struct {
	key string

	mu       sync.Mutex
	router   *fabric.Router // nil while there is none
	resolver *fabric.Resolver
}

// networkKey is short, since it is part of names.
func networkKey(spec machine.Spec) string {
	id := spec.Network
	if id == "" {
		id = spec.Subnet.Masked().String()
	}
	sum := sha256.Sum256([]byte(id))
	return hex.EncodeToString(sum[:4])
}

func (d *Driver) network(key string) *network {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := d.networks[key]
	if n == nil {
		n = &network{key: key}
		d.networks[key] = n
	}
	return n
}

// plug attaches a machine to its network. A cable that lies already is kept if keep says so.
func (d *Driver) plug(ctx context.Context, g *guest, keep bool) (*fabric.Router, error) {
	n := d.network(networkKey(g.spec))
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := d.ensureRouter(ctx, n); err != nil {
		return nil, err
	}
	port := fabric.PortOf(g.spec, g.rules)
	if keep && n.router.Attached(ctx, port) {
		return n.router, n.router.SetPort(ctx, port)
	}
	return n.router, n.router.Attach(ctx, port, g.inside, d.hypervisor.CableEnd(port))
}

// unplug removes a machine from its network, and the network after its last machine.
func (d *Driver) unplug(ctx context.Context, spec machine.Spec) error {
	n := d.network(networkKey(spec))
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.router == nil {
		return nil
	}
	left, err := n.router.Detach(ctx, spec.Key)
	if err != nil || left > 0 {
		return err
	}
	return errors.Join(n.close(), d.hypervisor.RemoveRouter(ctx, n.key))
}

// ensureRouter also notices that the router of an earlier call has gone, as after a restart
// of the host's engine.
func (d *Driver) ensureRouter(ctx context.Context, n *network) error {
	ns, err := d.hypervisor.Router(ctx, n.key)
	if err != nil {
		return fmt.Errorf("start the router of a network: %w", err)
	}
	if n.router != nil && ns.Same(n.router.Namespace()) {
		return ns.Close()
	}
	if err := n.close(); err != nil {
		d.log.Debug("close the old router", "err", err)
	}
	outside, err := d.hypervisor.Outside(ctx)
	if err != nil {
		ns.Close()
		return err
	}
	router, err := fabric.NewRouter(ctx, ns, outside)
	if err != nil {
		ns.Close()
		return err
	}
	resolver, err := fabric.Resolve(ctx, ns, d.log)
	if err != nil {
		ns.Close()
		return fmt.Errorf("start the network's resolver: %w", err)
	}
	n.router, n.resolver = router, resolver
	return nil
}

func (n *network) close() error {
	if n.router == nil {
		return nil
	}
	err := errors.Join(n.resolver.Close(), n.router.Namespace().Close())
	n.router, n.resolver = nil, nil
	return err
}

func (d *Driver) closeNetworks() error {
	d.mu.Lock()
	networks := d.networks
	d.networks = map[string]*network{}
	d.mu.Unlock()
	var failed []error
	for _, n := range networks {
		n.mu.Lock()
		failed = append(failed, n.close())
		n.mu.Unlock()
	}
	return errors.Join(failed...)
}
