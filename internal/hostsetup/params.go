package hostsetup

import (
	"encoding/pem"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"time"

	"mngr/internal/agent"
)

// Params are what differs from one machine to the next.
type Params struct {
	HostID   agent.HostID
	HostName string
	Provider string

	AuthorizedKeys []string // clients of the machine's sshd as root, authorized_keys form
	HostKey        HostKey  // the only host key of the machine's sshd

	DockerPackages []string // Debian packages of the engine; empty for docker.io
	ControlPlane   agent.ControlPlane

	// DeadMan is how long after a boot the machine deallocates itself unless its container
	// has come up; 0 for 45 minutes.
	DeadMan time.Duration
	// AutoShutdown is how long after each boot the machine deallocates itself whatever it
	// does; 0 for never.
	AutoShutdown time.Duration
}

// HostKey is an Ed25519 key pair.
type HostKey struct {
	Private []byte // OpenSSH's PEM
	Public  string // authorized_keys form
}

const defaultDeadMan = agent.AgeAbandoned

var (
	keyPattern     = regexp.MustCompile(`^[a-z0-9@.-]+ [A-Za-z0-9+/]+=*( [^\r\n]*)?$`)
	packagePattern = regexp.MustCompile(`^[a-z0-9][a-z0-9+.:=~-]*$`)
)

// check refuses what would be misread on the machine.
func (p Params) check() error {
	if _, err := agent.ParseHostID(string(p.HostID)); err != nil {
		return err
	}
	if len(p.AuthorizedKeys) == 0 {
		return errors.New("no authorized key: nobody could log in")
	}
	for _, key := range p.AuthorizedKeys {
		if !keyPattern.MatchString(key) {
			return fmt.Errorf("%q is no public key in authorized_keys form", key)
		}
	}
	if !strings.HasPrefix(p.HostKey.Public, "ssh-ed25519 ") || !keyPattern.MatchString(p.HostKey.Public) {
		return errors.New("the host key is no ed25519 public key in authorized_keys form")
	}
	if block, _ := pem.Decode(p.HostKey.Private); block == nil || block.Type != "OPENSSH PRIVATE KEY" {
		return errors.New("the host key has no private half in OpenSSH's PEM form")
	}
	for _, name := range p.DockerPackages {
		if !packagePattern.MatchString(name) {
			return fmt.Errorf("%q is no name of a Debian package", name)
		}
	}
	if p.DeadMan < 0 || p.AutoShutdown < 0 {
		return errors.New("a timer of the machine is negative")
	}
	return checkControlPlane(p.ControlPlane)
}

func checkControlPlane(c agent.ControlPlane) error {
	for name, value := range map[string]string{"endpoint": c.Endpoint, "audience": c.Audience} {
		u, err := url.Parse(value)
		if err != nil || u.Scheme != "https" || u.Host == "" || strings.ContainsAny(value, "\"'\\$ \t\r\n") {
			return fmt.Errorf("the control plane's %s %q is no https URL", name, value)
		}
	}
	if c.SubnetPrefix == "" {
		return nil
	}
	prefix, err := netip.ParsePrefix(c.SubnetPrefix)
	if err != nil || !prefix.Addr().Is4() {
		return fmt.Errorf("the subnet %q is no IPv4 prefix", c.SubnetPrefix)
	}
	return nil
}
