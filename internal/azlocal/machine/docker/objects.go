package docker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"mngr/internal/azlocal/machine/hostcmd"
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

// object names a container or a volume.
func (e *engine) object(r role, key string) string {
	return fmt.Sprintf("azlocal-%s-%s-%s", e.ID, r, key)
}

func (e *engine) labels(r role, key string) []string {
	return []string{"--label", labelInstance + "=" + e.ID, "--label", labelRole + "=" + string(r), "--label", labelKey + "=" + key}
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

func (e *engine) containers(ctx context.Context) ([]found, error) {
	format := fmt.Sprintf("{{.Names}} {{.Label %q}} {{.Label %q}}", labelRole, labelKey)
	out, err := hostcmd.Run(ctx, "docker", "ps", "--all", "--filter", "label="+labelInstance+"="+e.ID, "--format", format)
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

func (e *engine) volumes(ctx context.Context) ([]string, error) {
	out, err := hostcmd.Run(ctx, "docker", "volume", "ls", "--quiet", "--filter", "label="+labelInstance+"="+e.ID)
	if err != nil {
		return nil, fmt.Errorf("list the instance's volumes: %w", err)
	}
	return strings.Fields(out), nil
}

// RemoveOthers removes containers and volumes of other keys.
func (e *engine) RemoveOthers(ctx context.Context, keep map[string]bool) error {
	all, err := e.containers(ctx)
	if err != nil {
		return err
	}
	var failed []error
	for _, c := range all {
		if !keep[c.key] {
			failed = append(failed, removeContainer(ctx, c.name))
		}
	}
	volumes, err := e.volumes(ctx)
	failed = append(failed, err)
	kept := map[string]bool{}
	for key := range keep {
		kept[e.object(roleMachine, key)] = true
	}
	for _, name := range volumes {
		if !kept[name] {
			failed = append(failed, removeVolume(ctx, name))
		}
	}
	return errors.Join(failed...)
}

// RemoveAll removes all that carries the instance's label.
func (e *engine) RemoveAll(ctx context.Context) error {
	failed := []error{e.RemoveOthers(ctx, nil)}
	_, err := hostcmd.Run(ctx, "docker", "network", "rm", e.bridge())
	if err != nil && !hostcmd.Says(err, "no such network") && !hostcmd.Says(err, "not found") {
		failed = append(failed, err)
	}
	return errors.Join(failed...)
}
