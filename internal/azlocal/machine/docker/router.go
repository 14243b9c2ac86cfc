package docker

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"mngr/internal/azlocal/machine/guestimage"
	"mngr/internal/azlocal/machine/hostcmd"
	"mngr/internal/azlocal/machine/netns"
)

func (e *engine) bridge() string { return "azlocal-" + e.ID }

// Open makes the bridge that the routers are on.
func (e *engine) Open(ctx context.Context) error {
	_, err := hostcmd.Run(ctx, "docker", "network", "inspect", e.bridge())
	if err == nil {
		return nil
	}
	if !hostcmd.Says(err, "no such network") && !hostcmd.Says(err, "not found") {
		return err
	}
	if _, err := hostcmd.Run(ctx, "docker", "network", "create", "--label", labelInstance+"="+e.ID, e.bridge()); err != nil {
		return fmt.Errorf("make the bridge of the local Azure: %w", err)
	}
	return nil
}

// Outside is the range that the host's engine chose for the bridge.
func (e *engine) Outside(ctx context.Context) (netip.Prefix, error) {
	out, err := hostcmd.Run(ctx, "docker", "network", "inspect", "--format", "{{range .IPAM.Config}}{{.Subnet}} {{end}}", e.bridge())
	if err != nil {
		return netip.Prefix{}, err
	}
	for field := range strings.FieldsSeq(out) {
		if prefix, err := netip.ParsePrefix(field); err == nil && prefix.Addr().Is4() {
			return prefix, nil
		}
	}
	return netip.Prefix{}, fmt.Errorf("bridge %s has no IPv4 range", e.bridge())
}

// Router is a container that does nothing but keep a namespace on the instance's bridge.
func (e *engine) Router(ctx context.Context, key string) (*netns.Namespace, error) {
	name := e.object(roleRouter, key)
	c, err := inspect(ctx, name)
	if err != nil {
		return nil, err
	}
	if c == nil {
		image, err := e.images.Ensure(ctx, guestimage.Slim, func(string) {})
		if err != nil {
			return nil, err
		}
		args := append([]string{"create", "--name", name, "--network", e.bridge(), "--stop-signal", "KILL"}, e.labels(roleRouter, key)...)
		if _, err := hostcmd.Run(ctx, "docker", append(args, image, "sleep", "infinity")...); err != nil {
			return nil, err
		}
	}
	if c == nil || !c.State.Running {
		if _, err := hostcmd.Run(ctx, "docker", "start", name); err != nil {
			return nil, err
		}
		if c, err = inspect(ctx, name); err != nil {
			return nil, err
		}
	}
	if c == nil || !c.State.Running {
		return nil, errors.New("it ended at once")
	}
	return netns.OfProcess(c.State.Pid)
}

// RemoveRouter removes the container.
func (e *engine) RemoveRouter(ctx context.Context, key string) error {
	return removeContainer(ctx, e.object(roleRouter, key))
}
