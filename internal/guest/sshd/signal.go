package sshd

import (
	"strings"
	"syscall"

	"golang.org/x/crypto/ssh"
	"golang.org/x/sys/unix"
)

// signals are the names of RFC 4254, 6.10.
var signals = map[string]syscall.Signal{
	"ABRT": syscall.SIGABRT, "ALRM": syscall.SIGALRM, "FPE": syscall.SIGFPE, "HUP": syscall.SIGHUP,
	"ILL": syscall.SIGILL, "INT": syscall.SIGINT, "KILL": syscall.SIGKILL, "PIPE": syscall.SIGPIPE,
	"QUIT": syscall.SIGQUIT, "SEGV": syscall.SIGSEGV, "TERM": syscall.SIGTERM,
	"USR1": syscall.SIGUSR1, "USR2": syscall.SIGUSR2,
}

// signalByName finds a signal by its SSH name; OpenSSH sends some without a standard name
// with a suffix, as in WINCH@openssh.com.
func signalByName(name string) (syscall.Signal, bool) {
	if sig, ok := signals[name]; ok {
		return sig, true
	}
	base, isExtension := strings.CutSuffix(name, "@openssh.com")
	sig := unix.SignalNum("SIG" + base)
	return sig, isExtension && sig != 0
}

// signalName returns the SSH name of the signal that ended a process, if it has one.
func signalName(ws syscall.WaitStatus) (string, bool) {
	if !ws.Signaled() {
		return "", false
	}
	for name, sig := range signals {
		if sig == ws.Signal() {
			return name, true
		}
	}
	return "", false
}

// exitStatus is the status of an ended process as a shell shows it.
func exitStatus(ws syscall.WaitStatus) int {
	if ws.Signaled() {
		return 128 + int(ws.Signal())
	}
	return ws.ExitStatus()
}

// Channel requests and payloads that more than one file reads.
type windowChange struct{ Columns, Rows, Width, Height uint32 }

func parseWindowChange(payload []byte) (windowChange, bool) {
	var w windowChange
	err := ssh.Unmarshal(payload, &w)
	return w, err == nil
}
