package sshd

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/crypto/ssh"
)

func TestExecKeepsStatusAndStreamsApart(t *testing.T) {
	h := newHost(t)
	tests := []struct {
		line string
		want result
	}{
		{"true", result{"", "", 0}},
		{"exit 7", result{"", "", 7}},
		{"echo out; echo err >&2; exit 3", result{"out\n", "err\n", 3}},
		{"pwd", result{h.home + "\n", "", 0}},
		{"no-such-command-here 2>/dev/null", result{"", "", 127}},
		{`printf '%s|' "a b" '$x'`, result{"a b|$x|", "", 0}},
	}
	for _, tt := range tests {
		if got := h.ssh("c", tt.line); got != tt.want {
			t.Errorf("%q: got %+v, want %+v", tt.line, got, tt.want)
		}
	}
}

func TestExitSignalIsNamed(t *testing.T) {
	c := newHost(t).dial()
	s, err := c.NewSession()
	must(t, err)
	exit, ok := errors.AsType[*ssh.ExitError](s.Run("kill -TERM $$"))
	if !ok || exit.Signal() != "TERM" {
		t.Fatalf("got %v, want exit by TERM", exit)
	}
}

func TestSignalReachesTheCommand(t *testing.T) {
	c := newHost(t).dial()
	s, err := c.NewSession()
	must(t, err)
	out, err := s.StdoutPipe()
	must(t, err)
	must(t, s.Start("trap 'exit 42' USR1; echo ready; while :; do sleep 0.05; done"))
	_, err = io.ReadFull(out, make([]byte, len("ready\n")))
	must(t, err)
	must(t, s.Signal(ssh.SIGUSR1))
	exit, ok := errors.AsType[*ssh.ExitError](s.Wait())
	if !ok || exit.ExitStatus() != 42 {
		t.Fatalf("got %v, want status 42", exit)
	}
}

func TestEndOfInputReachesTheCommand(t *testing.T) {
	h := newHost(t)
	cmd := h.command("ssh", "c", "cat; echo end")
	cmd.Stdin = strings.NewReader("abc\n")
	if got := run(t, cmd); got.stdout != "abc\nend\n" {
		t.Fatalf("got %+v", got)
	}
}

func TestInputThatNobodyReadsDoesNotHang(t *testing.T) {
	h := newHost(t)
	cmd := h.command("ssh", "c", "exec <&-; sleep 0.1; echo done")
	cmd.Stdin = io.LimitReader(zeros{}, 50<<20)
	if got := run(t, cmd); got.stdout != "done\n" || got.status != 0 {
		t.Fatalf("got %+v", got)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

// The child holds the output for longer than any test runs.
func TestBackgroundChildDoesNotHoldTheSession(t *testing.T) {
	h := newHost(t)
	got := h.ssh("c", "sleep 1000 & echo $!")
	pid := strings.TrimSpace(got.stdout)
	if got.status != 0 || pid == "" {
		t.Fatalf("got %+v", got)
	}
	if r := h.ssh("c", "kill "+pid); r.status != 0 {
		t.Errorf("the child did not live on: %+v", r)
	}
}

// A background child that writes without end must not keep the session either.
func TestBackgroundWriterDoesNotHoldTheSession(t *testing.T) {
	h := newHost(t)
	got := h.ssh("c", "yes & echo pid $! >&2")
	if got.status != 0 || !strings.HasPrefix(got.stderr, "pid ") {
		t.Fatalf("status %d, stderr %q", got.status, got.stderr)
	}
}

func TestOutputBeforeTheEndIsNeverLost(t *testing.T) {
	h := newHost(t)
	c := h.dial()
	for range 50 {
		s, err := c.NewSession()
		must(t, err)
		out, err := s.Output("sleep 1000 & head -c 60000 /dev/zero; kill $!")
		must(t, err)
		if len(out) != 60000 {
			t.Fatalf("got %d bytes", len(out))
		}
	}
}

func TestHundredMegabytesBothWays(t *testing.T) {
	h := newHost(t)
	data := make([]byte, 100<<20)
	random := rand.NewChaCha8([32]byte{1})
	random.Read(data)
	sum := fmt.Sprintf("%x  -\n", sha256.Sum256(data))

	up := h.command("ssh", "c", "sha256sum")
	up.Stdin = bytes.NewReader(data)
	if got := run(t, up); got.stdout != sum {
		t.Errorf("up: got %q, want %q", got.stdout, sum)
	}
	must(t, os.WriteFile(filepath.Join(h.home, "big"), data, 0o600))
	if got := h.ssh("c", "cat big"); fmt.Sprintf("%x  -\n", sha256.Sum256([]byte(got.stdout))) != sum {
		t.Errorf("down: got %d other bytes", len(got.stdout))
	}
}

func TestFiftySessionsAtOnce(t *testing.T) {
	h := newHost(t)
	c := h.dial()
	var all sync.WaitGroup
	for i := range 50 {
		all.Go(func() {
			s, err := c.NewSession()
			if err != nil {
				t.Error(err)
				return
			}
			s.Stdin = strings.NewReader(strings.Repeat("x", i))
			if out, err := s.Output("wc -c; sleep 0.2"); err != nil || strings.TrimSpace(string(out)) != fmt.Sprint(i) {
				t.Errorf("session %d: %q, %v", i, out, err)
			}
		})
	}
	all.Wait()
}

func TestCommandGetsHangupWhenItsClientGoes(t *testing.T) {
	// Under nohup a command would inherit that hangups are ignored: one that is waited for is not.
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	h := newHost(t)
	for line, survives := range map[string]bool{
		"echo $$ > pid; exec sleep 1000":                              false,
		"trap '' HUP; echo $$ > pid; exec sleep 1000 >/dev/null 2>&1": true,
	} {
		os.Remove(filepath.Join(h.home, "pid"))
		c := h.dial()
		s, err := c.NewSession()
		must(t, err)
		must(t, s.Start(line))
		var pid string
		eventually(t, "the command runs", func() bool {
			b, _ := os.ReadFile(filepath.Join(h.home, "pid"))
			pid = strings.TrimSpace(string(b))
			return pid != ""
		})
		must(t, c.Close())
		eventually(t, "the server sees the client go", func() bool { return h.busy.commands.Load() == 0 })
		alive := func() bool {
			cmdline, err := os.ReadFile("/proc/" + pid + "/cmdline")
			return err == nil && len(cmdline) > 0
		}
		if survives {
			if !alive() {
				t.Errorf("%q ended", line)
			}
			h.ssh("c", "kill "+pid)
		}
		eventually(t, "the command ends", func() bool { return !alive() })
	}
}

func TestSubsystemsOtherThanSFTPAreRefused(t *testing.T) {
	h := newHost(t)
	if got := h.ssh("-s", "c", "netconf"); got.status == 0 {
		t.Fatalf("got %+v", got)
	}
	cmd := h.command("ssh", "-s", "c", "sftp") // control: ends at the end of its input
	cmd.Stdin = strings.NewReader("")
	if got := run(t, cmd); got.status != 0 {
		t.Fatalf("sftp: %+v", got)
	}
}

func TestActivityCountsCommandsButQuietOnes(t *testing.T) {
	h := newHost(t)
	c := h.dial()
	during := func(line string) int64 {
		s, err := c.NewSession()
		must(t, err)
		in, err := s.StdinPipe()
		must(t, err)
		out, err := s.StdoutPipe()
		must(t, err)
		must(t, s.Start(line))
		if strings.HasPrefix(line, "echo") {
			_, err = io.ReadFull(out, make([]byte, 2))
			must(t, err)
		}
		n := h.busy.commands.Load()
		in.Close()
		must(t, s.Wait())
		return n
	}
	if n := during("echo x; cat"); n != 1 {
		t.Errorf("a command under way counts %d", n)
	}
	if n := during("sleep 0.2 # quiet"); n != 0 {
		t.Errorf("a quiet command counts %d", n)
	}
	eventually(t, "nothing runs", func() bool { return h.busy.commands.Load() == 0 })
}
