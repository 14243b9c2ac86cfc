// Package docker makes machines of containers that run a whole Debian: systemd, cloud-init,
// sshd and an own Docker engine. A machine is two containers. The holder only keeps the
// network namespace, which is complete before the machine boots in it; it is renewed at
// each boot, so that no firewall rule or bridge of the guest survives a reboot. The machine
// container's own layer is the disk. Only internal/azlocal imports it.
//
// A guest's root is kept in by namespaces and a few dropped capabilities, not by a
// hypervisor: it must not be given to people whom the computer's owner does not trust.
package docker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"

	"mngr/internal/azlocal/machine"
	"mngr/internal/azlocal/machine/guestimage"
	"mngr/internal/azlocal/machine/hostcmd"
	"mngr/internal/azlocal/machine/publicip"
)

// Config says which instance of the local Azure a driver works for.
type Config struct {
	ID       string       // 4 to 12 hexadecimal digits, the same for the life of the instance
	Public   netip.Prefix // the instance's own part of 127.0.0.0/8, without 127.0.0.0/24
	CacheDir string       // for images, shared by instances; empty: /var/cache/mngr-azlocal
	Log      *slog.Logger
}

// Driver is the docker driver; see machine.Driver.
type Driver struct {
	config   Config
	services machine.Services
	images   *guestimage.Cache
	log      *slog.Logger

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

// New checks what the driver stands on; an error is one line with its remedy. Nothing is
// made before Prepare or Recover.
func New(ctx context.Context, config Config, services machine.Services) (*Driver, error) {
	if !idPattern.MatchString(config.ID) {
		return nil, fmt.Errorf("instance id %q: want 4 to 12 hexadecimal digits", config.ID)
	}
	if err := checkPublic(config.Public); err != nil {
		return nil, err
	}
	if err := checkHost(ctx); err != nil {
		return nil, err
	}
	if config.CacheDir == "" {
		config.CacheDir = "/var/cache/mngr-azlocal"
	}
	d := &Driver{config: config, services: services, log: config.Log,
		images: guestimage.NewCache(config.CacheDir, config.Log),
		guests: map[string]*guest{}, networks: map[string]*network{}}
	d.background, d.cancel = context.WithCancel(context.WithoutCancel(ctx))
	return d, nil
}

func checkPublic(public netip.Prefix) error {
	loopback, own := netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("127.0.0.0/24")
	if !public.IsValid() || !loopback.Contains(public.Addr()) || public.Bits() < loopback.Bits() || public.Overlaps(own) {
		return fmt.Errorf("public addresses %s: want a part of %s apart from %s", public, loopback, own)
	}
	return nil
}

func checkHost(ctx context.Context) error {
	if os.Geteuid() != 0 {
		return errors.New("machines of the local Azure need root: run it with sudo")
	}
	packages := []struct{ tool, name string }{{"docker", "docker.io"}, {"mmdebstrap", "mmdebstrap"}, {"ip", "iproute2"},
		{"nft", "nftables"}, {"nsenter", "util-linux"}, {"apt-config", "apt"}}
	var missing []string
	for _, p := range packages {
		if _, err := exec.LookPath(p.tool); err != nil {
			missing = append(missing, p.name)
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("machines of the local Azure need packages that are missing: apt-get install %s", strings.Join(missing, " "))
	}
	if _, err := hostcmd.Run(ctx, "docker", "version", "--format", "{{.Server.Version}}"); err != nil {
		return fmt.Errorf("no Docker engine answers (start it with systemctl start docker, or run dockerd): %w", err)
	}
	return nil
}

// Name is "docker".
func (d *Driver) Name() string { return "docker" }

// Prepare makes the stock image and the instance's bridge, and starts forwarding.
func (d *Driver) Prepare(ctx context.Context, progress func(string)) error {
	ref, err := d.images.Ensure(ctx, guestimage.Stock, progress)
	if err != nil {
		return err
	}
	d.log.Info("machine image is kept", "ref", ref)
	return d.start(ctx)
}

// start makes bridge and forwarder, and begins to watch the machines, once.
func (d *Driver) start(ctx context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return errors.New("the docker driver is closed")
	}
	if d.forward != nil {
		return nil
	}
	if err := d.ensureBridge(ctx); err != nil {
		return err
	}
	forward, err := publicip.New(ctx, d.config.ID, d.config.Public, d.log)
	if err != nil {
		return err
	}
	d.forward = forward
	d.all.Go(d.watch)
	return nil
}

// image makes the image that a machine asks for, if it is not there yet.
func (d *Driver) image(ctx context.Context, image machine.Image) (string, error) {
	kind := guestimage.Stock
	if strings.EqualFold(image.Publisher, "azlocal") && strings.EqualFold(image.Offer, "debian-12-docker") {
		kind = guestimage.Baked
	}
	return d.images.Ensure(ctx, kind, func(phase string) { d.log.Info("machine image", "phase", phase) })
}

// PurgeImages removes the images that Prepare and Create have made, which otherwise stay
// for the next instance. No machine may use them any more.
func (d *Driver) PurgeImages(ctx context.Context) error { return d.images.Purge(ctx) }

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
		failed = append(failed, d.removeAll(ctx))
	}
	return errors.Join(failed...)
}
