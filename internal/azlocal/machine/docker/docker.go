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
	"fmt"
	"net/http"

	"mngr/internal/azlocal/machine"
	"mngr/internal/azlocal/machine/guestimage"
	"mngr/internal/azlocal/machine/hostcmd"
	"mngr/internal/azlocal/machine/lifecycle"
)

// engine is the host's Docker engine as the hypervisor of one instance.
type engine struct {
	lifecycle.Config
	images *guestimage.Cache
}

var _ lifecycle.Hypervisor = (*engine)(nil)

// New checks what the driver stands on; an error is one line with its remedy. Nothing is
// made before Prepare or Recover.
func New(ctx context.Context, config lifecycle.Config, services machine.Services) (*lifecycle.Driver, error) {
	if err := Check(ctx); err != nil {
		return nil, err
	}
	return lifecycle.New(ctx, config, services, newEngine(config))
}

func newEngine(config lifecycle.Config) *engine {
	return &engine{Config: config, images: guestimage.NewCache(guestimage.Dir, config.Log)}
}

// Check tells whether containers can be machines here; an error is one line with its remedy.
func Check(ctx context.Context) error {
	err := hostcmd.Require(hostcmd.Tool{Name: "docker", Package: "docker.io"}, hostcmd.Tool{Name: "mmdebstrap", Package: "mmdebstrap"},
		hostcmd.Tool{Name: "ip", Package: "iproute2"}, hostcmd.Tool{Name: "nft", Package: "nftables"},
		hostcmd.Tool{Name: "nsenter", Package: "util-linux"}, hostcmd.Tool{Name: "apt-config", Package: "apt"})
	if err != nil {
		return err
	}
	if _, err := hostcmd.Run(ctx, "docker", "version", "--format", "{{.Server.Version}}"); err != nil {
		return fmt.Errorf("no Docker engine answers (start it with systemctl start docker, or run dockerd): %w", err)
	}
	return nil
}

// Name is "docker".
func (e *engine) Name() string { return "docker" }

// About has nothing to tell.
func (e *engine) About() string { return "" }

// Image makes an image of the host's engine.
func (e *engine) Image(ctx context.Context, kind guestimage.Kind, progress func(string)) (string, error) {
	return e.images.Ensure(ctx, kind, progress)
}

// Registry serves what was made along with the images.
func (e *engine) Registry(ctx context.Context) (http.Handler, error) { return e.images.Registry(ctx) }
