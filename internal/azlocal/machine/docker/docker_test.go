package docker

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"mngr/internal/azlocal/machine"
)

// cloud is the Azure around the machines of a test.
type cloud struct {
	driver *Driver
	config Config
	arm    net.Listener // the host's
	off    chan string  // keys of machines that switched themselves off
	dir    string

	mu      sync.Mutex
	servers []*http.Server
}

func (c *cloud) ServeIMDS(key string, l net.Listener) { c.serve(l, "imds of "+key) }
func (c *cloud) ServeARM(l net.Listener)              { c.serve(l, "arm") }
func (c *cloud) ARMAddress() netip.AddrPort           { return netip.MustParseAddrPort(c.arm.Addr().String()) }
func (c *cloud) PoweredOff(key string)                { c.off <- key }

func (c *cloud) serve(l net.Listener, text string) {
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) })}
	c.mu.Lock()
	c.servers = append(c.servers, server)
	c.mu.Unlock()
	go server.Serve(l)
}

// newCloud needs root and the host's tools; it says what is missing and skips.
func newCloud(t *testing.T, second byte) *cloud {
	t.Helper()
	id := make([]byte, 4)
	_, _ = rand.Read(id)
	arm, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cloud{arm: arm, off: make(chan string, 10), dir: t.TempDir(), config: Config{
		ID: hex.EncodeToString(id), Public: netip.PrefixFrom(netip.AddrFrom4([4]byte{127, second, id[0], 0}), 24),
		Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	}}
	c.driver, err = New(t.Context(), c.config, c)
	if err != nil {
		t.Skip("machines cannot be made here: ", err)
	}
	t.Cleanup(func() {
		if err := c.driver.Close(context.Background(), true); err != nil {
			t.Error("close: ", err)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, s := range c.servers {
			_ = s.Close()
		}
		_ = arm.Close()
	})
	return c
}

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

// box is one machine of a test as its user sees it.
type box struct {
	*cloud
	spec  machine.Spec
	rules []machine.Rule
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

func (c *cloud) newBox(t *testing.T, n byte, image machine.Image) *box {
	t.Helper()
	b := &box{cloud: c, rules: allowSSH(), admin: filepath.Join(c.dir, fmt.Sprint("admin", n)),
		root: filepath.Join(c.dir, fmt.Sprint("root", n)), known: filepath.Join(c.dir, fmt.Sprint("known", n))}
	_, admin := keyPair(t, b.admin)
	_, root := keyPair(t, b.root)
	hostPrivate, hostPublic := keyPair(t, filepath.Join(c.dir, fmt.Sprint("host", n)))
	prefix := c.config.Public.Addr().As4()
	public := netip.AddrFrom4([4]byte{prefix[0], prefix[1], prefix[2], 10 + n})
	if err := os.WriteFile(b.known, []byte(public.String()+" "+hostPublic+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	b.spec = machine.Spec{
		Key: c.config.ID + fmt.Sprintf("%04x", n), Name: fmt.Sprint("vm", n), ComputerName: fmt.Sprint("vm", n),
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
func (b *box) ssh(user, key, command string, options ...string) (string, int) {
	args := append([]string{"-i", key, "-o", "IdentitiesOnly=yes", "-o", "UserKnownHostsFile=" + b.known, "-o", "StrictHostKeyChecking=yes",
		"-o", "BatchMode=yes", "-o", "ConnectTimeout=5", "-F", "none"}, options...)
	cmd := exec.Command("ssh", append(args, user+"@"+b.spec.PublicIP.String(), command)...)
	out, _ := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), cmd.ProcessState.ExitCode()
}

// must runs a command as root that has to succeed.
func (b *box) must(t *testing.T, command string) string {
	t.Helper()
	out, code := b.ssh("root", b.root, command)
	if code != 0 {
		t.Fatalf("%s: exit %d: %s", command, code, out)
	}
	return out
}

func (b *box) want(t *testing.T, command, want string) {
	t.Helper()
	if got := b.must(t, command); got != want {
		t.Errorf("%s: %q, want %q", command, got, want)
	}
}

// eventually waits for a condition as long as it takes, up to the patience of go test.
func eventually(t *testing.T, what string, f func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
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

func docker(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command("docker", args...).Output()
	if err != nil {
		t.Fatalf("docker %s: %v", args, err)
	}
	return string(bytes.TrimSpace(out))
}

func stock() machine.Image {
	return machine.Image{Publisher: "Debian", Offer: "debian-12", SKU: "12-gen2", Version: "latest"}
}

func baked() machine.Image {
	return machine.Image{Publisher: "azlocal", Offer: "debian-12-docker", SKU: "12-gen2", Version: "latest"}
}
