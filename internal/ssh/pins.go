package ssh

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"

	"mngr/internal/agent"
	"mngr/internal/atomicfile"
)

// Pins remembers the host keys of hosts by host id, in <base>/hosts/<id>/. Addresses are
// reused by clouds, ids are not.
type Pins struct{ Base string }

type pinFile struct {
	VM        string `json:"vm,omitempty"`
	Container string `json:"container,omitempty"`
}

// Dir is where everything about a host lies on this machine.
func (p Pins) Dir(id agent.HostID) string { return filepath.Join(p.Base, "hosts", string(id)) }

// Load returns the pinned keys; empty when there are none.
func (p Pins) Load(id agent.HostID) (agent.HostKeys, error) {
	text, err := os.ReadFile(filepath.Join(p.Dir(id), "pins.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return agent.HostKeys{}, nil
	}
	if err != nil {
		return agent.HostKeys{}, fmt.Errorf("read the pinned host keys: %w", err)
	}
	var f pinFile
	if err := json.Unmarshal(text, &f); err != nil {
		return agent.HostKeys{}, fmt.Errorf("read the pinned host keys of %s: %w", id, err)
	}
	return agent.HostKeys(f), nil
}

// Merge pins what is not pinned yet and returns the keys to trust. A pinned key beats a
// published one; a difference is refused, since somebody changed one of them.
func (p Pins) Merge(id agent.HostID, published agent.HostKeys) (agent.HostKeys, error) {
	if _, err := agent.ParseHostID(string(id)); err != nil {
		return agent.HostKeys{}, agent.Errorf(agent.KindRefused, "pin host keys: %w", err)
	}
	pinned, err := p.Load(id)
	if err != nil {
		return agent.HostKeys{}, err
	}
	merged := pinned
	for _, k := range []struct {
		which     string
		pin       *string
		published string
	}{{"virtual machine", &merged.VM, published.VM}, {"container", &merged.Container, published.Container}} {
		switch {
		case *k.pin == "":
			*k.pin = k.published
		case k.published != "" && k.published != *k.pin:
			return agent.HostKeys{}, agent.Errorf(agent.KindRefused,
				"the host key of the %s differs from the one pinned on this machine: somebody may be in between", k.which).
				WithHint("rm %s # if you trust the change", filepath.Join(p.Dir(id), "pins.json"))
		}
	}
	if merged == pinned {
		return merged, nil
	}
	if err := os.MkdirAll(p.Dir(id), 0o700); err != nil {
		return agent.HostKeys{}, fmt.Errorf("pin host keys: %w", err)
	}
	text, err := json.Marshal(pinFile(merged))
	if err != nil {
		return agent.HostKeys{}, fmt.Errorf("pin host keys: %w", err)
	}
	return merged, atomicfile.Write(filepath.Join(p.Dir(id), "pins.json"), append(text, '\n'), 0o600)
}

// WriteKnownHosts writes the host's own known_hosts file for the system's ssh, under its
// address and ports, and returns its path.
func (p Pins) WriteKnownHosts(id agent.HostID, address string, containerPort int, keys agent.HostKeys) (string, error) {
	if _, err := agent.ParseHostID(string(id)); err != nil {
		return "", agent.Errorf(agent.KindRefused, "write known_hosts: %w", err)
	}
	var b bytes.Buffer
	if keys.VM != "" {
		fmt.Fprintf(&b, "%s %s\n", knownHostsName(address, 22), keys.VM)
	}
	if keys.Container != "" {
		fmt.Fprintf(&b, "%s %s\n", knownHostsName(address, containerPort), keys.Container)
	}
	path := filepath.Join(p.Dir(id), "known_hosts")
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, b.Bytes()) {
		return path, nil
	}
	if err := os.MkdirAll(p.Dir(id), 0o700); err != nil {
		return "", fmt.Errorf("write known_hosts: %w", err)
	}
	return path, atomicfile.Write(path, b.Bytes(), 0o600)
}

// Forget removes everything about a host from this machine.
func (p Pins) Forget(id agent.HostID) error {
	if _, err := agent.ParseHostID(string(id)); err != nil {
		return nil // nothing can lie under such an id
	}
	if err := os.RemoveAll(p.Dir(id)); err != nil {
		return fmt.Errorf("forget host %s: %w", id, err)
	}
	return nil
}

// knownHostsName is the form of sshd(8): "[host]:port" unless the port is 22.
func knownHostsName(host string, port int) string {
	if port == 22 {
		return host
	}
	return "[" + host + "]:" + strconv.Itoa(port)
}

func hostPort(host string, port int) string { return net.JoinHostPort(host, strconv.Itoa(port)) }
