package sshd

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

// host is a running server and OpenSSH's configuration to reach it as "c".
type host struct {
	t      *testing.T
	dir    string
	home   string
	addr   string
	config string
	signer ssh.Signer // the client's
	pinned ssh.PublicKey
	busy   counter
}

// counter counts commands under way, and data moved by forwards.
type counter struct{ commands, touches atomic.Int64 }

func (c *counter) Begin() func() {
	c.commands.Add(1)
	return func() { c.commands.Add(-1) }
}
func (c *counter) Touch() { c.touches.Add(1) }

func newKey(t *testing.T, path string) ssh.Signer {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	must(t, err)
	block, err := ssh.MarshalPrivateKey(private, "")
	must(t, err)
	must(t, os.WriteFile(path, pem.EncodeToMemory(block), 0o600))
	signer, err := ssh.NewSignerFromKey(private)
	must(t, err)
	return signer
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// need skips a test whose tool is missing, and says which.
func need(t *testing.T, tools ...string) {
	t.Helper()
	for _, tool := range tools {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("missing: %s", tool)
		}
	}
}

func newHost(t *testing.T) *host {
	t.Helper()
	need(t, "ssh")
	dir := t.TempDir()
	h := &host{t: t, dir: dir, home: filepath.Join(dir, "home"), config: filepath.Join(dir, "config")}
	must(t, os.Mkdir(h.home, 0o700))
	hostKey := newKey(t, filepath.Join(dir, "host_key"))
	h.pinned = hostKey.PublicKey()
	h.signer = newKey(t, filepath.Join(dir, "key"))
	h.authorize(h.signer.PublicKey())

	ln, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	h.addr = ln.Addr().String()
	h.writeConfig()
	self, err := os.Executable()
	must(t, err)
	srv := New(Config{
		HostKey: hostKey, AuthorizedKeys: filepath.Join(dir, "authorized_keys"),
		Place: h.place, SFTP: []string{self, sftpArg}, Activity: &h.busy,
		Quiet: func(c string) bool { return c == "sleep 0.2 # quiet" },
		Log:   slog.New(slog.DiscardHandler),
	})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- srv.Serve(ctx, ln) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return h
}

func (h *host) place(_ context.Context, name string) (Place, error) {
	env := []string{"PATH=" + os.Getenv("PATH"), "HOME=" + h.home}
	switch name {
	case "":
		return Place{Dir: h.home, Env: env}, nil
	case "known":
		return Place{Dir: h.dir, Env: append(env, "MNGR_AGENT_NAME=known")}, nil
	}
	return Place{}, fmt.Errorf("no agent %q on this host", name)
}

func (h *host) authorize(keys ...ssh.PublicKey) {
	h.t.Helper()
	var file bytes.Buffer
	for _, k := range keys {
		file.Write(ssh.MarshalAuthorizedKey(k))
	}
	must(h.t, os.WriteFile(filepath.Join(h.dir, "authorized_keys"), file.Bytes(), 0o600))
}

func (h *host) writeConfig() {
	ip, port, err := net.SplitHostPort(h.addr)
	must(h.t, err)
	known := fmt.Sprintf("[%s]:%s %s", ip, port, ssh.MarshalAuthorizedKey(h.pinned))
	must(h.t, os.WriteFile(filepath.Join(h.dir, "known_hosts"), []byte(known), 0o600))
	must(h.t, os.WriteFile(h.config, fmt.Appendf(nil, `Host c
 HostName %s
 Port %s
 User root
 IdentityFile %s/key
 IdentitiesOnly yes
 IdentityAgent none
 UserKnownHostsFile %s/known_hosts
 StrictHostKeyChecking yes
 BatchMode yes
 ConnectTimeout 20
 LogLevel ERROR
`, ip, port, h.dir, h.dir), 0o600))
}

// command is one of OpenSSH's programs with the host's configuration.
func (h *host) command(tool string, args ...string) *exec.Cmd {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	h.t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, tool, append([]string{"-F", h.config}, args...)...)
	cmd.WaitDelay = 10 * time.Second
	cmd.Env = append(os.Environ(), "SSH_AUTH_SOCK=")
	return cmd
}

type result struct {
	stdout, stderr string
	status         int
}

func run(t *testing.T, cmd *exec.Cmd) result {
	t.Helper()
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if _, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok {
		t.Fatalf("%v: %v", cmd.Args, err)
	}
	return result{out.String(), errs.String(), cmd.ProcessState.ExitCode()}
}

// ssh runs a command on the host with OpenSSH's client.
func (h *host) ssh(args ...string) result {
	h.t.Helper()
	return run(h.t, h.command("ssh", args...))
}

// dial logs in with the Go client, for what OpenSSH's does not show.
func (h *host) dial() *ssh.Client {
	h.t.Helper()
	c, err := h.login("root", h.signer)
	must(h.t, err)
	h.t.Cleanup(func() { c.Close() })
	return c
}

func (h *host) login(user string, signer ssh.Signer) (*ssh.Client, error) {
	return ssh.Dial("tcp", h.addr, &ssh.ClientConfig{
		User: user, Auth: []ssh.AuthMethod{ssh.PublicKeys(signer)},
		HostKeyCallback: ssh.FixedHostKey(h.pinned), Timeout: 20 * time.Second,
	})
}

// eventually waits for a condition that another process brings about.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-deadline:
			t.Fatalf("never: %s", what)
		case <-tick.C:
		}
	}
}
