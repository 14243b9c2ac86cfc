package process

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
)

// Detached is a helper that outlives this process.
type Detached struct {
	Ended <-chan struct{} // closed when it has, if that is before this process does
	log   string
}

// Detach starts a helper in a session of its own, with its output in a file, which is read
// by its owner only.
func Detach(cmd *exec.Cmd, log string) (*Detached, error) {
	out, err := os.OpenFile(log, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait() // why it ended is in its log
		close(ended)
	}()
	return &Detached{Ended: ended, log: log}, nil
}

// Failure is the error of a helper that has ended too soon: the last thing it said.
func (d *Detached) Failure() error {
	said, err := os.ReadFile(d.log)
	if err != nil {
		return err
	}
	lines := strings.Split(strings.TrimSpace(string(said)), "\n")
	return fmt.Errorf("it ended at once: %s", lines[len(lines)-1])
}
