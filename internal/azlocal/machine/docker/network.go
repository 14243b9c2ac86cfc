package docker

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"

	"mngr/internal/azlocal/machine"
	"mngr/internal/azlocal/machine/fabric"
	"mngr/internal/azlocal/machine/guestimage"
	"mngr/internal/azlocal/machine/hostcmd"
	"mngr/internal/azlocal/machine/netns"
)

// network is a virtual network that has machines: its router is a container that does
// nothing but keep a namespace on the instance's bridge.
type network struct {
	key string

	mu       sync.Mutex
	pid      int // of the router container, 0 when there is none
	router   *fabric.Router
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
func (d *Driver) plug(ctx context.Context, spec machine.Spec, rules []machine.Rule, inside *netns.Namespace, keep bool) (*fabric.Router, error) {
	n := d.network(networkKey(spec))
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := d.ensureRouter(ctx, n); err != nil {
		return nil, err
	}
	port := fabric.Port{Key: spec.Key, MAC: spec.MAC, IP: spec.PrivateIP, Subnet: spec.Subnet, Rules: rules}
	if keep && n.router.Attached(ctx, port) {
		return n.router, n.router.SetPort(ctx, port)
	}
	return n.router, n.router.Attach(ctx, port, inside)
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
	return errors.Join(n.close(), removeContainer(ctx, d.object(roleRouter, n.key)))
}

// ensureRouter also notices that the router of an earlier call has gone, as after a restart
// of the host's engine.
func (d *Driver) ensureRouter(ctx context.Context, n *network) error {
	pid, err := d.routerProcess(ctx, n)
	if err != nil {
		return fmt.Errorf("start the router of a network: %w", err)
	}
	if n.router != nil && pid == n.pid {
		return nil
	}
	if err := n.close(); err != nil {
		d.log.Debug("close the old router", "err", err)
	}
	prefix, err := d.bridgePrefix(ctx)
	if err != nil {
		return err
	}
	ns, err := netns.OfProcess(pid)
	if err != nil {
		return err
	}
	router, err := fabric.NewRouter(ctx, ns, prefix)
	if err != nil {
		ns.Close()
		return err
	}
	resolver, err := fabric.Resolve(ctx, ns, d.log)
	if err != nil {
		ns.Close()
		return fmt.Errorf("start the network's resolver: %w", err)
	}
	n.pid, n.router, n.resolver = pid, router, resolver
	return nil
}

func (d *Driver) routerProcess(ctx context.Context, n *network) (int, error) {
	name := d.object(roleRouter, n.key)
	c, err := inspect(ctx, name)
	if err != nil {
		return 0, err
	}
	if c == nil {
		image, err := d.images.Ensure(ctx, guestimage.Slim, func(string) {})
		if err != nil {
			return 0, err
		}
		args := append([]string{"create", "--name", name, "--network", d.bridge(), "--stop-signal", "KILL"}, d.labels(roleRouter, n.key)...)
		if _, err := hostcmd.Run(ctx, "docker", append(args, image, "sleep", "infinity")...); err != nil {
			return 0, err
		}
	}
	if c == nil || !c.State.Running {
		if _, err := hostcmd.Run(ctx, "docker", "start", name); err != nil {
			return 0, err
		}
		if c, err = inspect(ctx, name); err != nil {
			return 0, err
		}
	}
	if c == nil || !c.State.Running {
		return 0, errors.New("it ended at once")
	}
	return c.State.Pid, nil
}

func (n *network) close() error {
	if n.router == nil {
		return nil
	}
	err := errors.Join(n.resolver.Close(), n.router.Namespace().Close())
	n.pid, n.router, n.resolver = 0, nil, nil
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
