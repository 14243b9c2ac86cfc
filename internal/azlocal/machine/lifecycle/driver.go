// Package lifecycle leads machines through their lives, whatever they are made of: the
// order of things at create, start, stop, reboot and recovery, the one record of each
// machine, its place on the fabric and what it finds there. A Hypervisor does the rest.
// Only packages under internal/azlocal/machine import it.
package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"regexp"
	"strings"
	"sync"

	"mngr/internal/azlocal/machine"
	"mngr/internal/azlocal/machine/guestimage"
	"mngr/internal/azlocal/machine/publicip"
)

// Config says which instance of the local Azure a driver works for.
type Config struct {
	ID     string       // 4 to 12 hexadecimal digits, the same for the life of the instance
	Public netip.Prefix // the instance's own part of 127.0.0.0/8, without 127.0.0.0/24
	Dir    string       // the instance's own, for what has to be in files
	Log    *slog.Logger
}

// Driver is a machine.Driver.
type Driver struct {
	config     Config
	services   machine.Services
	hypervisor Hypervisor
	log        *slog.Logger

	background context.Context // ends with Close
	cancel     context.CancelFunc
	all        sync.WaitGroup

	mu       sync.Mutex
	forward  *publicip.Forwarder
	guests   map[string]*guest
	networks map[string]*network
	closed   bool
}

var _ machine.Driver = (*Driver)(nil)

var idPattern = regexp.MustCompile(`^[0-9a-f]{4,12}$`)

// Check refuses a configuration that would clash with the host's own names or addresses.
func (c Config) Check() error {
	if !idPattern.MatchString(c.ID) {
		return fmt.Errorf("instance id %q: want 4 to 12 hexadecimal digits", c.ID)
	}
	loopback, own := netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("127.0.0.0/24")
	if !c.Public.IsValid() || !loopback.Contains(c.Public.Addr()) || c.Public.Bits() < loopback.Bits() || c.Public.Overlaps(own) {
		return fmt.Errorf("public addresses %s: want a part of %s apart from %s", c.Public, loopback, own)
	}
	return nil
}

// New makes a driver of a hypervisor. Nothing is made before Prepare or Recover.
func New(ctx context.Context, config Config, services machine.Services, hypervisor Hypervisor) (*Driver, error) {
	if err := config.Check(); err != nil {
		return nil, err
	}
	d := &Driver{config: config, services: services, hypervisor: hypervisor, log: config.Log,
		guests: map[string]*guest{}, networks: map[string]*network{}}
	d.background, d.cancel = context.WithCancel(context.WithoutCancel(ctx))
	return d, nil
}

// Name is the hypervisor's.
func (d *Driver) Name() string { return d.hypervisor.Name() }

// About is the hypervisor's.
func (d *Driver) About() string { return d.hypervisor.About() }

// Prepare makes the stock image and what all machines share, and starts forwarding.
func (d *Driver) Prepare(ctx context.Context, progress func(string)) error {
	ref, err := d.hypervisor.Image(ctx, guestimage.Stock, progress)
	if err != nil {
		return err
	}
	d.log.Info("machine image is kept", "ref", ref)
	return d.start(ctx)
}

// start opens hypervisor and forwarder, and begins to watch the machines, once.
func (d *Driver) start(ctx context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return fmt.Errorf("the %s driver is closed", d.Name())
	}
	if d.forward != nil {
		return nil
	}
	if err := d.hypervisor.Open(ctx); err != nil {
		return err
	}
	forward, err := publicip.New(ctx, d.config.ID, d.config.Public, d.log)
	if err != nil {
		return err
	}
	d.forward = forward
	d.all.Go(func() { d.hypervisor.Watch(d.background, func(key string) { d.ended(d.background, key) }) })
	return nil
}

// image makes the image that a machine asks for, if it is not there yet.
func (d *Driver) image(ctx context.Context, image machine.Image) (string, error) {
	kind := guestimage.Stock
	if strings.EqualFold(image.Publisher, "azlocal") && strings.EqualFold(image.Offer, "debian-12-docker") {
		kind = guestimage.Baked
	}
	return d.hypervisor.Image(ctx, kind, func(phase string) { d.log.Info("machine image", "phase", phase) })
}

// guest returns the one record of a machine.
func (d *Driver) guest(key string) *guest {
	d.mu.Lock()
	defer d.mu.Unlock()
	g := d.guests[key]
	if g == nil {
		g = &guest{key: key}
		d.guests[key] = g
	}
	return g
}

// Kill ends a machine at once; the watch reports its end.
func (d *Driver) Kill(ctx context.Context, key string) error {
	if err := d.hypervisor.Kill(ctx, key); err != nil {
		return fmt.Errorf("kill machine %s: %w", key, err)
	}
	return nil
}

// Exec runs a command past the machine's network.
func (d *Driver) Exec(ctx context.Context, key string, argv []string, stdin io.Reader) (machine.Result, error) {
	status, err := d.look(ctx, key)
	if err != nil {
		return machine.Result{}, err
	}
	if !status.Running {
		return machine.Result{}, machine.ErrNoGuest
	}
	result, err := d.hypervisor.Exec(ctx, key, argv, stdin)
	if err != nil {
		return machine.Result{}, fmt.Errorf("run a command in machine %s: %w", key, err)
	}
	return result, nil
}

func (d *Driver) look(ctx context.Context, key string) (Status, error) {
	status, err := d.hypervisor.Look(ctx, key)
	if err != nil {
		return status, fmt.Errorf("look at machine %s: %w", key, err)
	}
	return status, nil
}

// Close stops forwarding, listeners and watching; all also removes every trace of the
// instance but the images.
func (d *Driver) Close(ctx context.Context, all bool) error {
	d.cancel()
	d.all.Wait()
	d.mu.Lock()
	d.closed = true
	guests, forward := d.guests, d.forward
	d.guests, d.forward = map[string]*guest{}, nil
	d.mu.Unlock()

	var failed []error
	for _, g := range guests {
		g.mu.Lock()
		g.hangUp()
		g.mu.Unlock()
	}
	if forward != nil {
		failed = append(failed, forward.Close(ctx, all))
	}
	failed = append(failed, d.closeNetworks())
	if all {
		failed = append(failed, d.hypervisor.RemoveAll(ctx), publicip.RemoveTable(ctx, publicip.Table(d.config.ID)))
	}
	return errors.Join(failed...)
}
