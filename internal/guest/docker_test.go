package guest

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"mngr/internal/ctl"
)

// container is a host's container as the virtual machine runs it.
type container struct {
	t    *testing.T
	name string
	dir  string // its mounts, and the client's key
	port string
}

func output(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s%s", cmd.Args, err, out, stderr.String())
	}
	return string(out)
}

// testImage returns the image of the tests' containers, made once from Debian's packages.
// Its tag names its recipe.
func testImage(t *testing.T) string {
	t.Helper()
	for _, tool := range []string{"docker", "ssh", "mmdebstrap"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("missing: %s", tool)
		}
	}
	if err := exec.Command("docker", "info").Run(); err != nil {
		t.Skip("missing: a Docker engine that runs")
	}
	recipe := []string{"--variant=minbase", "--include=tmux,git,rsync,ca-certificates", "bookworm"}
	sum := sha256.Sum256([]byte(strings.Join(recipe, " ")))
	tag := "mngr-guest-test:" + hex.EncodeToString(sum[:6])
	if exec.Command("docker", "image", "inspect", tag).Run() == nil {
		return tag
	}
	tar := filepath.Join(t.TempDir(), "image.tar")
	output(t, exec.Command("mmdebstrap", append(recipe, tar)...))
	output(t, exec.Command("docker", "import", tar, tag))
	return tag
}

func newContainer(t *testing.T) *container {
	t.Helper()
	image := testImage(t)
	dir := t.TempDir()
	c := &container{t: t, dir: dir, name: "mngr-guest-test-" + strings.ToLower(rand.Text()[:8])}
	opt := filepath.Join(dir, "opt")
	for _, d := range []string{opt, filepath.Join(dir, "signal")} {
		if err := os.Mkdir(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	build := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", filepath.Join(opt, "mngrd"), "mngr/cmd/mngrd")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	output(t, build)
	hostKey := writeKey(t, filepath.Join(opt, "host_key"))
	key := writeKey(t, filepath.Join(dir, "key"))
	write(t, filepath.Join(opt, "authorized_keys"), ssh.MarshalAuthorizedKey(key))
	c.configure(3600)
	c.docker("run", "-d", "--name", c.name, "--user", "0", "--entrypoint", "/opt/mngr/mngrd",
		"-v", opt+":/opt/mngr:ro", "-v", filepath.Join(dir, "signal")+":/run/mngr-signal", "-v", c.name+":/mngr",
		"-p", "127.0.0.1::22", image, "init")
	t.Cleanup(func() {
		exec.Command("docker", "rm", "-f", c.name).Run()
		exec.Command("docker", "volume", "rm", "-f", c.name).Run()
	})
	write(t, filepath.Join(dir, "known_hosts"), append([]byte("guest "), ssh.MarshalAuthorizedKey(hostKey)...))
	c.awaitSSH()
	return c
}

func writeKey(t *testing.T, path string) ssh.PublicKey {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(private, "")
	if err != nil {
		t.Fatal(err)
	}
	write(t, path, pem.EncodeToMemory(block))
	key, err := ssh.NewPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// configure sets the idle timeout, as the virtual machine would.
func (c *container) configure(idleSeconds int) {
	c.t.Helper()
	write(c.t, filepath.Join(c.dir, "opt", "config.json"),
		fmt.Appendf(nil, `{"host_id":"x","idle":{"mode":"run","timeout_seconds":%d}}`, idleSeconds))
}

func (c *container) docker(args ...string) string {
	c.t.Helper()
	return output(c.t, exec.Command("docker", args...))
}

func (c *container) sshCommand(line string) *exec.Cmd {
	return exec.Command("ssh", "-F", "none", "-i", filepath.Join(c.dir, "key"), "-p", c.port,
		"-o", "IdentitiesOnly=yes", "-o", "UserKnownHostsFile="+filepath.Join(c.dir, "known_hosts"),
		"-o", "HostKeyAlias=guest", "-o", "StrictHostKeyChecking=yes", "-o", "BatchMode=yes",
		"-o", "ConnectTimeout=20", "root@127.0.0.1", line)
}

func (c *container) ssh(line string) string {
	c.t.Helper()
	return output(c.t, c.sshCommand(line))
}

// awaitSSH also finds the published port, which changes with every start.
func (c *container) awaitSSH() {
	c.t.Helper()
	_, port, _ := strings.Cut(strings.TrimSpace(c.docker("port", c.name, "22/tcp")), ":")
	c.port = port
	eventually(c.t, "SSH answers", func() bool { return c.sshCommand("true").Run() == nil })
}

// ctl sends a request the way mngr does.
func (c *container) ctl(req ctl.Request) ctl.Answer {
	c.t.Helper()
	req.Version = ctl.Version
	in, err := json.Marshal(req)
	if err != nil {
		c.t.Fatal(err)
	}
	cmd := c.sshCommand("/opt/mngr/mngrd ctl")
	cmd.Stdin = bytes.NewReader(in)
	var a ctl.Answer
	if err := json.Unmarshal([]byte(output(c.t, cmd)), &a); err != nil {
		c.t.Fatal(err)
	}
	return a
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(time.Minute)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-deadline:
			t.Fatalf("never: %s", what)
		case <-tick.C:
		}
	}
}
