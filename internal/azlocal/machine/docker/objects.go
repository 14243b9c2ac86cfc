package docker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"mngr/internal/azlocal/machine/hostcmd"
	"mngr/internal/azlocal/machine/publicip"
)

// Labels of everything that the driver makes in the host's engine: an instance finds its
// own objects by them after a crash.
const (
	labelInstance = "mngr.azlocal.instance"
	labelRole     = "mngr.azlocal.role"
	labelKey      = "mngr.azlocal.key" // a machine's key or a network's
)

type role string

const (
	roleMachine role = "machine"
	roleHolder  role = "holder"
	roleRouter  role = "router"
)

func (d *Driver) bridge() string { return "azlocal-" + d.config.ID }

// object names a container or a volume.
func (d *Driver) object(r role, key string) string {
	return fmt.Sprintf("azlocal-%s-%s-%s", d.config.ID, r, key)
}

func (d *Driver) labels(r role, key string) []string {
	return []string{"--label", labelInstance + "=" + d.config.ID, "--label", labelRole + "=" + string(r), "--label", labelKey + "=" + key}
}

func (d *Driver) ensureBridge(ctx context.Context) error {
	_, err := hostcmd.Run(ctx, "docker", "network", "inspect", d.bridge())
	if err == nil {
		return nil
	}
	if !hostcmd.Says(err, "no such network") && !hostcmd.Says(err, "not found") {
		return err
	}
	if _, err := hostcmd.Run(ctx, "docker", "network", "create", "--label", labelInstance+"="+d.config.ID, d.bridge()); err != nil {
		return fmt.Errorf("make the bridge of the local Azure: %w", err)
	}
	return nil
}

// bridgePrefix is the range that the host's engine chose for the bridge.
func (d *Driver) bridgePrefix(ctx context.Context) (netip.Prefix, error) {
	out, err := hostcmd.Run(ctx, "docker", "network", "inspect", "--format", "{{range .IPAM.Config}}{{.Subnet}} {{end}}", d.bridge())
	if err != nil {
		return netip.Prefix{}, err
	}
	for field := range strings.FieldsSeq(out) {
		if prefix, err := netip.ParsePrefix(field); err == nil && prefix.Addr().Is4() {
			return prefix, nil
		}
	}
	return netip.Prefix{}, fmt.Errorf("bridge %s has no IPv4 range", d.bridge())
}

// container is what the driver wants to know of one.
type container struct {
	ID     string
	Image  string
	Config struct{ Labels map[string]string }
	State  struct {
		Running   bool
		Pid       int
		ExitCode  int
		StartedAt string
	}
}

// started reports whether the container has ever run.
func (c *container) started() bool { return !strings.HasPrefix(c.State.StartedAt, "0001-") }

// inspect returns nil when there is no such container.
func inspect(ctx context.Context, name string) (*container, error) {
	out, err := hostcmd.Run(ctx, "docker", "container", "inspect", name)
	if hostcmd.Says(err, "no such container") {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var found []container
	if err := json.Unmarshal([]byte(out), &found); err != nil || len(found) != 1 {
		return nil, fmt.Errorf("docker container inspect %s: unexpected answer: %w", name, err)
	}
	return &found[0], nil
}

// removeContainer also ends it; absent is fine.
func removeContainer(ctx context.Context, name string) error {
	_, err := hostcmd.Run(ctx, "docker", "rm", "--force", "--volumes", name)
	if hostcmd.Says(err, "no such container") {
		return nil
	}
	return err
}

func removeVolume(ctx context.Context, name string) error {
	_, err := hostcmd.Run(ctx, "docker", "volume", "rm", "--force", name)
	return err
}

// found is one of the instance's containers as docker ps lists it.
type found struct {
	name string
	role role
	key  string
}

func (d *Driver) containers(ctx context.Context) ([]found, error) {
	format := fmt.Sprintf("{{.Names}} {{.Label %q}} {{.Label %q}}", labelRole, labelKey)
	out, err := hostcmd.Run(ctx, "docker", "ps", "--all", "--filter", "label="+labelInstance+"="+d.config.ID, "--format", format)
	if err != nil {
		return nil, fmt.Errorf("list the instance's containers: %w", err)
	}
	var all []found
	for line := range strings.Lines(out) {
		if f := strings.Fields(line); len(f) == 3 {
			all = append(all, found{name: f[0], role: role(f[1]), key: f[2]})
		}
	}
	return all, nil
}

func (d *Driver) volumes(ctx context.Context) ([]string, error) {
	out, err := hostcmd.Run(ctx, "docker", "volume", "ls", "--quiet", "--filter", "label="+labelInstance+"="+d.config.ID)
	if err != nil {
		return nil, fmt.Errorf("list the instance's volumes: %w", err)
	}
	return strings.Fields(out), nil
}

// removeAll removes all that carries the instance's label, machines first.
func (d *Driver) removeAll(ctx context.Context) error {
	all, err := d.containers(ctx)
	if err != nil {
		return err
	}
	var failed []error
	for _, c := range all {
		failed = append(failed, removeContainer(ctx, c.name))
	}
	volumes, err := d.volumes(ctx)
	failed = append(failed, err)
	for _, name := range volumes {
		failed = append(failed, removeVolume(ctx, name))
	}
	_, err = hostcmd.Run(ctx, "docker", "network", "rm", d.bridge())
	if err != nil && !hostcmd.Says(err, "no such network") && !hostcmd.Says(err, "not found") {
		failed = append(failed, err)
	}
	return errors.Join(append(failed, publicip.RemoveTable(ctx, publicip.Table(d.config.ID)))...)
}
