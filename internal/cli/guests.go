package cli

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"mngr/internal/agent"
	"mngr/internal/atomicfile"
	"mngr/internal/config"
	"mngr/internal/fleet"
	"mngr/internal/ssh"
)

// betweenDials keeps a machine that boots from being flooded, and a user from waiting.
const betweenDials = 500 * time.Millisecond

const vmPort = 22

// guests lets package ssh serve fleet.
type guests struct {
	identity ssh.Identity
	pins     ssh.Pins
	ports    map[string]int // published port by provider instance
}

var _ fleet.Guests = guests{}

func newGuests(conf *config.Config) guests {
	g := guests{
		identity: ssh.Identity{Base: conf.Files.BaseDir},
		pins:     ssh.Pins{Base: conf.Files.BaseDir},
		ports:    map[string]int{},
	}
	for _, p := range conf.Instances() {
		g.ports[p.Name] = p.ContainerSSHPort
	}
	return g
}

func (g guests) knownHostsPath(id agent.HostID) string {
	return filepath.Join(g.pins.Dir(id), "known_hosts")
}

func (g guests) EnsureKey(provider string) (string, error) {
	key, err := g.identity.Ensure(provider)
	if err != nil {
		return "", err
	}
	return key.AuthorizedKey, nil
}

func (g guests) NewHostKey() ([]byte, string, error) {
	pair, err := ssh.GenerateKey("")
	return pair.PrivatePEM, pair.AuthorizedKey, err
}

func (g guests) Trust(h agent.Host) (agent.HostKeys, error) {
	keys, err := g.pins.Merge(h.ID, h.HostKeys)
	if err != nil {
		return keys, err
	}
	if err := g.noteResource(h); err != nil {
		return keys, err
	}
	_, err = g.pins.WriteKnownHosts(h.ID, h.Address, g.Port(h), keys)
	return keys, err
}

// resourceFile holds the id of a host's machine beside the host's pins: through it gc asks
// the right provider whether the machine is gone.
const resourceFile = "resource"

func (g guests) noteResource(h agent.Host) error {
	path := filepath.Join(g.pins.Dir(h.ID), resourceFile)
	if old, err := os.ReadFile(path); h.Resource == "" || err == nil && string(old) == h.Resource {
		return nil
	}
	if err := os.MkdirAll(g.pins.Dir(h.ID), 0o700); err != nil {
		return err
	}
	return atomicfile.Write(path, []byte(h.Resource), 0o600)
}

func (g guests) Known() ([]fleet.KnownHost, error) {
	entries, err := os.ReadDir(filepath.Dir(g.pins.Dir("x")))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var known []fleet.KnownHost
	for _, e := range entries {
		id, err := agent.ParseHostID(e.Name())
		if err != nil {
			continue // none of ours
		}
		resource, err := os.ReadFile(filepath.Join(g.pins.Dir(id), resourceFile))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		known = append(known, fleet.KnownHost{ID: id, Path: g.pins.Dir(id), Resource: string(resource)})
	}
	return known, nil
}

func (g guests) Port(h agent.Host) int {
	if port, ok := g.ports[h.Provider]; ok {
		return port
	}
	return 2222
}

func (g guests) target(h agent.Host, p fleet.Place) (ssh.Target, error) {
	switch {
	case h.Address == "" && h.HostKeys == (agent.HostKeys{}):
		return ssh.Target{}, fleet.ErrNoHostKey
	case h.Address == "":
		return ssh.Target{}, agent.Errorf(agent.KindUnreachable, "host %q has no address", h.Name)
	}
	keys, err := g.Trust(h)
	if err != nil {
		return ssh.Target{}, err
	}
	t := ssh.Target{Address: h.Address, Port: vmPort, HostKey: keys.VM}
	if p == fleet.Container {
		t.Port, t.HostKey = g.Port(h), keys.Container
	}
	if keys == (agent.HostKeys{}) {
		return t, fleet.ErrNoHostKey
	}
	if t.HostKey == "" {
		return t, agent.Errorf(agent.KindUnreachable, "the host key of host %q is not known", h.Name)
	}
	return t, nil
}

// key returns nil, and no error, where this machine has none.
func (g guests) key(provider string) (*ssh.ClientKey, error) {
	key, err := g.identity.Load(provider)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return key, err
}

func (g guests) Dial(ctx context.Context, h agent.Host, p fleet.Place) (fleet.Guest, error) {
	return g.dial(ctx, h, p, ssh.Dial)
}

func (g guests) DialRetry(ctx context.Context, h agent.Host, p fleet.Place, missed func(error)) (fleet.Guest, error) {
	return g.dial(ctx, h, p, func(ctx context.Context, t ssh.Target, key *ssh.ClientKey) (*ssh.Client, error) {
		return ssh.DialRetry(ctx, t, key, betweenDials, missed)
	})
}

type dialer func(context.Context, ssh.Target, *ssh.ClientKey) (*ssh.Client, error)

func (g guests) dial(ctx context.Context, h agent.Host, p fleet.Place, dial dialer) (fleet.Guest, error) {
	t, err := g.target(h, p)
	if err != nil {
		return nil, err
	}
	key, err := g.key(h.Provider)
	if err != nil {
		return nil, err
	}
	client, err := dial(ctx, t, key)
	if errors.Is(err, ssh.ErrNoAuth) {
		return nil, fleet.ErrNoAccess
	}
	if err != nil {
		return nil, err
	}
	return guest{client}, nil
}

func (g guests) Probe(ctx context.Context, h agent.Host, p fleet.Place) error {
	t, err := g.target(h, p)
	if err != nil {
		return err
	}
	client, err := ssh.Dial(ctx, t, nil)
	switch {
	case errors.Is(err, ssh.ErrNoAuth):
		return nil
	case err != nil:
		return err
	}
	return client.Close()
}

func (g guests) system(h agent.Host, p fleet.Place) (ssh.System, error) {
	t, err := g.target(h, p)
	return ssh.System{Target: t, KeyPath: g.identity.Path(h.Provider), KnownHosts: g.knownHostsPath(h.ID)}, err
}

func (g guests) GitCommand(h agent.Host) (string, error) {
	s, err := g.system(h, fleet.Container)
	return s.GitCommand(), err
}

// Attach gives the terminal to the system's ssh: what a person types is none of ours.
func (g guests) Attach(ctx context.Context, h agent.Host, p fleet.Place, env map[string]string, line string) (int, error) {
	s, err := g.system(h, p)
	if err != nil {
		return 0, err
	}
	args := s.Args(line, true, env)
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	err = cmd.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode(), nil
	}
	if errors.Is(err, exec.ErrNotFound) {
		return 0, agent.Errorf(agent.KindUsage, "connect needs the ssh program").WithHint("apt-get install openssh-client")
	}
	return 0, err
}

func (g guests) Forget(id agent.HostID) error { return g.pins.Forget(id) }

// guest lets an ssh.Client serve fleet.
type guest struct{ client *ssh.Client }

func (g guest) Run(ctx context.Context, c fleet.Command) (int, error) {
	return g.client.Run(ctx, ssh.Command(c))
}

func (g guest) Close() error { return g.client.Close() }
