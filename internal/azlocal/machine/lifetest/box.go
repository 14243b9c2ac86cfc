package lifetest

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"mngr/internal/azlocal/machine"
)

// keyPair writes a private key for ssh and returns it with its public line.
func keyPair(t *testing.T, name string) (private, public string) {
	t.Helper()
	pub, priv, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(priv, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
		t.Fatal(err)
	}
	line, err := ssh.NewPublicKey(pub)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(block)), strings.TrimSpace(string(ssh.MarshalAuthorizedKey(line)))
}

// Box is one machine of a test as its user sees it.
type Box struct {
	*Cloud
	Spec  machine.Spec
	Rules []machine.Rule

	admin string // private key files
	root  string
	known string
}

// allowSSH is what a careful user would have: ssh from one address of the "Internet".
func allowSSH() []machine.Rule {
	return []machine.Rule{
		{Priority: 100, Protocol: "Tcp", Allow: true, Sources: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")},
			Ports: []machine.PortRange{{First: 22, Last: 22}, {First: 8000, Last: 8999}}},
	}
}

// NewBox describes the nth machine of a test.
func (c *Cloud) NewBox(t *testing.T, n byte, image machine.Image) *Box {
	t.Helper()
	b := &Box{Cloud: c, Rules: allowSSH(), admin: filepath.Join(c.dir, fmt.Sprint("admin", n)),
		root: filepath.Join(c.dir, fmt.Sprint("root", n)), known: filepath.Join(c.dir, fmt.Sprint("known", n))}
	_, admin := keyPair(t, b.admin)
	_, root := keyPair(t, b.root)
	hostPrivate, hostPublic := keyPair(t, filepath.Join(c.dir, fmt.Sprint("host", n)))
	prefix := c.Config.Public.Addr().As4()
	public := netip.AddrFrom4([4]byte{prefix[0], prefix[1], prefix[2], 10 + n})
	if err := os.WriteFile(b.known, []byte(public.String()+" "+hostPublic+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	b.Spec = machine.Spec{
		Key: c.Config.ID + fmt.Sprintf("%04x", n), Name: fmt.Sprint("vm", n), ComputerName: fmt.Sprint("vm", n),
		VMID: fmt.Sprintf("11111111-2222-3333-4444-%012d", n), AdminUsername: "azureuser", AdminKeys: []string{admin},
		CustomData: customData(hostPrivate, hostPublic, root), Image: image,
		Network: "/subscriptions/s/vnet", PrivateIP: netip.AddrFrom4([4]byte{10, 0, 0, 3 + n}), Subnet: netip.MustParsePrefix("10.0.0.0/24"),
		PublicIP: public, MAC: fmt.Sprintf("00-0D-3A-00-00-%02X", n), Cores: 2, MemoryMB: 4096, DiskGB: 30,
	}
	return b
}

func customData(hostPrivate, hostPublic, root string) []byte {
	indented := "    " + strings.ReplaceAll(strings.TrimSpace(hostPrivate), "\n", "\n    ")
	return []byte("#cloud-config\nssh_deletekeys: true\nssh_genkeytypes: []\nssh_keys:\n  ed25519_private: |\n" + indented +
		"\n  ed25519_public: " + hostPublic + "\ndisable_root: false\nusers:\n  - default\n  - name: root\n    ssh_authorized_keys:\n      - " + root +
		"\nwrite_files:\n  - path: /etc/from-custom-data\n    content: hello\nruncmd:\n  - echo ran >>/root/runcmd.log\n")
}

// ssh runs a command by the system's client and returns its output and exit code.
func (b *Box) ssh(user, key, command string, options ...string) (string, int) {
	// Of a setting that is given twice the first counts; an emulated machine is slow.
	args := append(slices.Clone(options), "-i", key, "-o", "IdentitiesOnly=yes", "-o", "UserKnownHostsFile="+b.known,
		"-o", "StrictHostKeyChecking=yes", "-o", "BatchMode=yes", "-o", "ConnectTimeout=60", "-F", "none")
	cmd := exec.Command("ssh", append(args, user+"@"+b.Spec.PublicIP.String(), command)...)
	out, _ := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), cmd.ProcessState.ExitCode()
}

// must runs a command as root that has to succeed.
func (b *Box) must(t *testing.T, command string) string {
	t.Helper()
	out, code := b.ssh("root", b.root, command)
	if code != 0 {
		t.Fatalf("%s: exit %d: %s", command, code, out)
	}
	return out
}

// Want runs a command as root and compares its output.
func (b *Box) Want(t *testing.T, command, want string) {
	t.Helper()
	if got := b.must(t, command); got != want {
		t.Errorf("%s: %q, want %q", command, got, want)
	}
}

// eventually waits for a condition as long as it takes, up to the patience of go test.
func eventually(t *testing.T, what string, f func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	for tick := time.NewTicker(200 * time.Millisecond); ; {
		if f() {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatal("never: ", what)
		case <-tick.C:
		}
	}
}

// Stock is the image that Azure has too.
func Stock() machine.Image {
	return machine.Image{Publisher: "Debian", Offer: "debian-12", SKU: "12-gen2", Version: "latest"}
}

// Baked is the image that has Docker already.
func Baked() machine.Image {
	return machine.Image{Publisher: "azlocal", Offer: "debian-12-docker", SKU: "12-gen2", Version: "latest"}
}
