package sshd

import (
	"bufio"
	"io"
	"strings"
	"testing"

	"github.com/creack/pty"
	"golang.org/x/crypto/ssh"
	"golang.org/x/sys/unix"
)

func TestTerminalHasSizeTypeAndName(t *testing.T) {
	h := newHost(t)
	cmd := h.command("ssh", "-tt", "c", "stty size; tty; echo $TERM $SSH_TTY; exit 5")
	cmd.Env = append(cmd.Env, "TERM=screen-256color")
	term, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 33, Cols: 101})
	must(t, err)
	defer term.Close()
	out, _ := io.ReadAll(term) // ends with EIO
	if cmd.Wait(); cmd.ProcessState.ExitCode() != 5 {
		t.Errorf("status %d", cmd.ProcessState.ExitCode())
	}
	lines := strings.Fields(string(out))
	if len(lines) != 5 || lines[0] != "33" || lines[1] != "101" || !strings.HasPrefix(lines[2], "/dev/pts/") ||
		lines[3] != "screen-256color" || lines[4] != lines[2] {
		t.Fatalf("got %q", out)
	}
}

func TestWindowChangeReachesTheProgram(t *testing.T) {
	c := newHost(t).dial()
	s, err := c.NewSession()
	must(t, err)
	must(t, s.RequestPty("xterm", 24, 80, ssh.TerminalModes{ssh.ECHO: 0}))
	stdout, err := s.StdoutPipe()
	must(t, err)
	must(t, s.Start(`trap 'stty size; exit' WINCH; echo ready; while :; do sleep 0.05; done`))
	lines := bufio.NewScanner(stdout)
	if !lines.Scan() || strings.TrimSpace(lines.Text()) != "ready" {
		t.Fatalf("got %q", lines.Text())
	}
	must(t, s.WindowChange(40, 120))
	if !lines.Scan() || strings.TrimSpace(lines.Text()) != "40 120" {
		t.Fatalf("got %q", lines.Text())
	}
	must(t, s.Wait())
}

func TestInteractiveShell(t *testing.T) {
	c := newHost(t).dial()
	s, err := c.NewSession()
	must(t, err)
	must(t, s.RequestPty("xterm", 24, 80, ssh.TerminalModes{ssh.ECHO: 0}))
	s.Stdin = strings.NewReader("echo $((6*7)); exit 9\n")
	var out strings.Builder
	s.Stdout = &out
	must(t, s.Shell())
	exit, _ := s.Wait().(*ssh.ExitError)
	if exit == nil || exit.ExitStatus() != 9 || !strings.Contains(out.String(), "42") {
		t.Fatalf("status %v, output %q", exit, out.String())
	}
}

func TestShellWithoutTerminalReadsItsInput(t *testing.T) {
	h := newHost(t)
	cmd := h.command("ssh", "-T", "c")
	cmd.Stdin = strings.NewReader("echo $((6*7)); exit 9\n")
	if got := run(t, cmd); got.stdout != "42\n" || got.status != 9 {
		t.Fatalf("got %+v", got)
	}
}

// The program keeps the terminal open and ignores the hangup.
func TestTerminalIsLetGoWhenItsClientGoes(t *testing.T) {
	h := newHost(t)
	c := h.dial()
	s, err := c.NewSession()
	must(t, err)
	must(t, s.RequestPty("xterm", 24, 80, ssh.TerminalModes{ssh.ECHO: 0}))
	stdout, err := s.StdoutPipe()
	must(t, err)
	must(t, s.Start("trap '' HUP; echo $$; exec sleep 1000"))
	lines := bufio.NewScanner(stdout)
	if !lines.Scan() {
		t.Fatal("no output")
	}
	must(t, c.Close())
	eventually(t, "the session ends", func() bool { return h.busy.commands.Load() == 0 })
	if r := h.ssh("c", "kill "+strings.TrimSpace(lines.Text())); r.status != 0 {
		t.Errorf("the program did not live on: %+v", r)
	}
}

func TestTerminalModes(t *testing.T) {
	modes := parseModes([]byte{53, 0, 0, 0, 0, 3, 0, 0, 0, 127, 4, 0, 0, 0, 255, 72, 0, 0, 0, 1, 0, 9, 9})
	termios := unix.Termios{Lflag: unix.ECHO | unix.ISIG}
	termios.Cc[unix.VKILL] = 21
	setModes(&termios, modes)
	if termios.Lflag != unix.ISIG || termios.Oflag != unix.ONLCR || termios.Cc[unix.VERASE] != 127 || termios.Cc[unix.VKILL] != 0 {
		t.Fatalf("got %+v", termios)
	}
}

func FuzzParsePTY(f *testing.F) {
	f.Add(ssh.Marshal(struct {
		Term       string
		A, B, C, D uint32
		Modes      string
	}{"xterm", 80, 24, 0, 0, "\x35\x00\x00\x00\x00\x00"}))
	f.Add([]byte{0, 0, 0, 200})
	f.Fuzz(func(t *testing.T, payload []byte) {
		p, err := parsePTY(payload)
		if err == nil && len(p.modes) > len(payload)/5 {
			t.Fatalf("%d modes in %d bytes", len(p.modes), len(payload))
		}
	})
}
