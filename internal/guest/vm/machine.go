package vm

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"time"

	"mngr/internal/ctl"
	"mngr/internal/hostsetup"
)

const (
	// askAgain is how soon Azure is asked again while it does not let the machine deallocate
	// itself: an assignment of a role may take ten minutes to count.
	askAgain = time.Minute
	// askSeldom is how soon after it did: somebody may take the role away.
	askSeldom = time.Hour
	// askLimit bounds one question, which the script asks with limits of its own.
	askLimit = 2 * time.Minute
)

// tellMachine keeps what the container may know of its machine's end up to date.
func (h *host) tellMachine(ctx context.Context, log io.Writer) {
	machine := ctl.Machine{ShutdownAt: shutdownAt(os.Getenv(hostsetup.EnvAutoShutdown))}
	for ctx.Err() == nil {
		ok, why := h.selfStop(ctx)
		if ctx.Err() != nil {
			return
		}
		if ok != nil {
			machine.SelfStop, machine.SelfStopWhy = ok, why
		}
		if err := h.writeMachine(machine); err != nil {
			fmt.Fprintln(log, "tell the container of its machine:", err)
		}
		pause := askAgain
		if ok != nil && *ok {
			pause = askSeldom
		}
		wait(ctx, pause)
	}
}

func (h *host) writeMachine(m ctl.Machine) error {
	content, err := json.Marshal(m)
	if err != nil {
		return err
	}
	return writeFile(h.guest(hostsetup.FileMachine), append(content, '\n'), 0o644)
}

// shutdownAt is when the machine's time is up, nil for never.
func shutdownAt(lifetime string) *time.Time {
	seconds, err := strconv.Atoi(lifetime)
	if err != nil || seconds <= 0 {
		return nil
	}
	boot, err := bootTime()
	if err != nil {
		return nil
	}
	return new(boot.Add(time.Duration(seconds) * time.Second).Truncate(time.Second))
}

// askSelfStop lets the script ask that would do it.
func askSelfStop(ctx context.Context) (*bool, string) {
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	out, err := exec.CommandContext(ctx, hostsetup.DeallocateScript, "check").Output()
	switch {
	case err == nil:
		return new(true), ""
	case exitCode(err) == 1:
		return new(false), lastLine(string(out))
	}
	return nil, ""
}
