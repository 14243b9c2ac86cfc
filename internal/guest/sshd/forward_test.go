package sshd

import (
	"bufio"
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// shout answers what it reads, in capitals, after the end of its input: both half-closes
// must work for that.
func shout(t *testing.T, ln net.Listener) {
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			data, _ := io.ReadAll(c)
			io.WriteString(c, strings.ToUpper(string(data)))
			c.Close()
		}
	}()
}

func ask(t *testing.T, network, address, question string) string {
	t.Helper()
	var c net.Conn
	eventually(t, "somebody listens on "+address, func() bool {
		var err error
		c, err = net.Dial(network, address)
		return err == nil
	})
	defer c.Close()
	_, err := io.WriteString(c, question)
	must(t, err)
	must(t, c.(stream).CloseWrite())
	answer, err := io.ReadAll(c)
	must(t, err)
	return string(answer)
}

func freePort(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer ln.Close()
	_, port, err := net.SplitHostPort(ln.Addr().String())
	must(t, err)
	return port
}

// background runs ssh -N until the test ends.
func (h *host) background(args ...string) {
	h.t.Helper()
	cmd := h.command("ssh", append([]string{"-N", "-o", "ExitOnForwardFailure=yes"}, append(args, "c")...)...)
	must(h.t, cmd.Start())
	h.t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
}

func TestForwards(t *testing.T) {
	h := newHost(t)
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	shout(t, tcp)
	path := filepath.Join(h.dir, "target.sock")
	local, err := net.Listen("unix", path)
	must(t, err)
	shout(t, local)

	l, r := freePort(t), freePort(t)
	lu, ru := filepath.Join(h.dir, "l.sock"), filepath.Join(h.dir, "r.sock")
	h.background(
		"-L", l+":"+tcp.Addr().String(), "-L", lu+":"+path,
		"-R", r+":"+tcp.Addr().String(), "-R", ru+":"+path,
	)
	for name, at := range map[string][2]string{
		"-L tcp": {"tcp", "127.0.0.1:" + l}, "-L unix": {"unix", lu},
		"-R tcp": {"tcp", "127.0.0.1:" + r}, "-R unix": {"unix", ru},
	} {
		big := strings.Repeat("abc", 1<<20)
		if got := ask(t, at[0], at[1], big); got != strings.ToUpper(big) {
			t.Errorf("%s: got %d bytes", name, len(got))
		}
	}
	if h.busy.touches.Load() == 0 {
		t.Error("forwards are no activity")
	}
	info, err := os.Stat(ru)
	must(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("a forwarded socket has mode %v", info.Mode())
	}
}

func TestForwardToNowhereIsRefused(t *testing.T) {
	c := newHost(t).dial()
	if _, err := c.Dial("tcp", "127.0.0.1:"+freePort(t)); err == nil {
		t.Error("connected to a closed port")
	}
	if _, err := c.Dial("unix", "/no/such/socket"); err == nil {
		t.Error("connected to no socket")
	}
}

func TestRemoteForwardEndsWithItsClient(t *testing.T) {
	h := newHost(t)
	c := h.dial()
	ln, err := c.Listen("tcp", "0.0.0.0:0") // whatever is asked for: loopback only
	must(t, err)
	shout(t, ln)
	_, port, _ := net.SplitHostPort(ln.Addr().String())
	if got := ask(t, "tcp", "127.0.0.1:"+port, "x"); got != "X" {
		t.Fatalf("got %q", got)
	}
	if c, err := net.Dial("tcp", "127.9.9.9:"+port); err == nil {
		c.Close()
		t.Error("it listens on more than 127.0.0.1")
	}
	c.Close()
	eventually(t, "the listener is closed", func() bool {
		c, err := net.Dial("tcp", "127.0.0.1:"+port)
		if err == nil {
			c.Close()
		}
		return err != nil
	})
}

func TestRemoteForwardNeverReplacesAFile(t *testing.T) {
	h := newHost(t)
	c := h.dial()
	taken := filepath.Join(h.dir, "taken")
	must(t, os.WriteFile(taken, []byte("keep"), 0o600))
	if _, err := c.ListenUnix(taken); err == nil {
		t.Error("a file was replaced")
	}
	ln, err := c.ListenUnix(filepath.Join(h.dir, "free"))
	must(t, err)
	ln.Close()
	if data, _ := os.ReadFile(taken); string(data) != "keep" {
		t.Errorf("got %q", data)
	}
}

func TestAgentIsForwardedOnlyOnRequest(t *testing.T) {
	need(t, "ssh-add")
	h := newHost(t)
	_, private, err := ed25519.GenerateKey(rand.Reader)
	must(t, err)
	ring := agent.NewKeyring()
	must(t, ring.Add(agent.AddedKey{PrivateKey: private, Comment: "from the laptop"}))
	c := h.dial()
	must(t, agent.ForwardToAgent(c, ring))

	keys := func(ask bool) string {
		s, err := c.NewSession()
		must(t, err)
		if ask {
			must(t, agent.RequestAgentForwarding(s))
		}
		out, _ := s.Output("echo socket=$SSH_AUTH_SOCK; ssh-add -l")
		return string(out)
	}
	if got := keys(true); !strings.Contains(got, "from the laptop") {
		t.Errorf("asked for: %q", got)
	}
	if got := keys(false); got != "socket=\n" {
		t.Errorf("not asked for: %q", got)
	}
}

func TestKeepaliveIsAnswered(t *testing.T) {
	c := newHost(t).dial()
	ok, _, err := c.SendRequest("keepalive@openssh.com", true, nil)
	if err != nil || ok {
		t.Fatalf("got %v, %v; sshd answers with a refusal", ok, err)
	}
}

func TestUnknownChannelIsRefused(t *testing.T) {
	c := newHost(t).dial()
	_, _, err := c.OpenChannel("x11", nil)
	if open, ok := err.(*ssh.OpenChannelError); !ok || open.Reason != ssh.UnknownChannelType {
		t.Fatalf("got %v", err)
	}
}

func TestFileTools(t *testing.T) {
	need(t, "scp", "sftp", "rsync", "git")
	h := newHost(t)
	src := filepath.Join(h.dir, "src")
	must(t, os.MkdirAll(filepath.Join(src, "sub"), 0o755))
	must(t, os.WriteFile(filepath.Join(src, "sub", "a b"), []byte("content"), 0o640))
	same := func(tool, path string) {
		t.Helper()
		data, err := os.ReadFile(path)
		if err != nil || string(data) != "content" {
			t.Errorf("%s: %q, %v", tool, data, err)
		}
	}
	ok := func(r result) {
		t.Helper()
		if r.status != 0 {
			t.Fatalf("got %+v", r)
		}
	}
	ok(run(t, h.command("scp", "-r", src, "c:scp")))
	same("scp up", filepath.Join(h.home, "scp", "sub", "a b"))
	ok(run(t, h.command("scp", "-r", "c:scp", filepath.Join(h.dir, "back"))))
	same("scp down", filepath.Join(h.dir, "back", "sub", "a b"))

	sftp := h.command("sftp", "-b", "-", "c")
	sftp.Stdin = strings.NewReader(fmt.Sprintf("mkdir s\nput %q s/f\nrename s/f s/g\nls -l s\n", filepath.Join(src, "sub", "a b")))
	ok(run(t, sftp))
	same("sftp", filepath.Join(h.home, "s", "g"))

	rsync := exec.Command("rsync", "-a", "-e", "ssh -F "+h.config, src+"/", "c:rsync/")
	ok(run(t, rsync))
	same("rsync", filepath.Join(h.home, "rsync", "sub", "a b"))
	h.pushOverSSH()
}

func (h *host) pushOverSSH() {
	t := h.t
	repo := filepath.Join(h.dir, "repo")
	script := fmt.Sprintf(`set -e
git init -q -b main %[1]s && cd %[1]s
git -c user.name=a -c user.email=a@b commit -q --allow-empty -m first
git init -q --bare %[2]s/pushed
GIT_SSH_COMMAND="ssh -F %[3]s" git push -q ssh://c%[2]s/pushed main
git -C %[2]s/pushed rev-parse main; git rev-parse main`, repo, h.home, h.config)
	r := run(t, exec.Command("sh", "-c", script))
	ids := bufio.NewScanner(strings.NewReader(r.stdout))
	ids.Scan()
	first := ids.Text()
	if ids.Scan(); r.status != 0 || first == "" || ids.Text() != first {
		t.Errorf("git push: %+v", r)
	}
}
