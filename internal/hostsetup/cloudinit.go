package hostsetup

import (
	"bytes"
	"fmt"

	"github.com/goccy/go-yaml"
)

// maxUserData is Azure's limit of customData before base64
// (https://learn.microsoft.com/azure/virtual-machines/custom-data).
const maxUserData = 64 << 10

// cloudConfig is the part of cloud-init's schema that we use, in the order in which a
// person wants to read it.
type cloudConfig struct {
	// cc_ssh deletes the image's host keys and, as ssh_keys is given, generates none; later
	// releases that do both are held to ssh_genkeytypes.
	SSHDeleteKeys  bool     `yaml:"ssh_deletekeys"`
	SSHGenKeyTypes []string `yaml:"ssh_genkeytypes"`
	SSHKeys        sshKeys  `yaml:"ssh_keys"`
	SSHPasswords   bool     `yaml:"ssh_pwauth"`
	// DisableRoot would wrap root's key in a command that refuses every login.
	DisableRoot    bool     `yaml:"disable_root"`
	AuthorizedKeys []string `yaml:"ssh_authorized_keys"`

	BootCmd    [][]string  `yaml:"bootcmd"`
	WriteFiles []writeFile `yaml:"write_files"`
	RunCmd     [][]string  `yaml:"runcmd"`
}

type sshKeys struct {
	Private string `yaml:"ed25519_private"`
	Public  string `yaml:"ed25519_public"`
}

type writeFile struct {
	Path        string `yaml:"path"`
	Permissions string `yaml:"permissions"`
	Content     string `yaml:"content"`
}

// CloudInit returns the user data of a machine: a #cloud-config document.
func CloudInit(p Params) ([]byte, error) {
	if err := p.check(); err != nil {
		return nil, fmt.Errorf("make cloud-init user data: %w", err)
	}
	config := cloudConfig{
		SSHDeleteKeys:  true,
		SSHGenKeyTypes: []string{"ed25519"},
		SSHKeys:        sshKeys{Private: string(p.HostKey.Private), Public: p.HostKey.Public + "\n"},
		AuthorizedKeys: p.AuthorizedKeys,
		BootCmd:        [][]string{waagentKeyType()},
		WriteFiles:     p.files(),
		RunCmd: [][]string{
			{"systemctl", "daemon-reload"},
			append([]string{"systemctl", "enable", "--now"}, p.unitsAtOnce()...),
			{"systemctl", "enable", Setup, Service},
			{"systemctl", "start", Setup},
		},
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, "#cloud-config\n# %s (%q) of provider %q\n", p.HostID, p.HostName, p.Provider)
	if err := yaml.NewEncoder(&out, yaml.UseLiteralStyleIfMultiline(true)).Encode(config); err != nil {
		return nil, fmt.Errorf("make cloud-init user data: %w", err)
	}
	if out.Len() > maxUserData {
		return nil, fmt.Errorf("make cloud-init user data: %d bytes, Azure takes %d", out.Len(), maxUserData)
	}
	return out.Bytes(), nil
}

// waagentKeyType lets Azure's agent find our host key. Left to itself it waits 30 minutes
// for an RSA key and then reports that provisioning failed (azurelinuxagent/pa/provision/
// cloudinit.py, wait_for_ssh_host_key, 2.7.3).
func waagentKeyType() []string {
	const expression = "s/^Provisioning.SshHostKeyPairType=.*/Provisioning.SshHostKeyPairType=ed25519/"
	return []string{"sh", "-c", "test ! -f /etc/waagent.conf || sed -i '" + expression + "' /etc/waagent.conf"}
}
