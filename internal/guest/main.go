package guest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"mngr/internal/ctl"
	"mngr/internal/guest/agents"
	"mngr/internal/guest/control"
	"mngr/internal/guest/pid1"
	"mngr/internal/guest/sshd"
	"mngr/internal/guest/vm"
)

// Verbs that mngrd runs itself with.
const (
	verbWorker   = "init-worker"
	verbSFTP     = "sftp-server"
	verbRunAgent = "run-agent"
)

const exitUsage = 2

const usageText = `mngrd is the part of mngr that runs inside a host. mngr starts it; people need not.

  mngrd init   process 1 of the container
  mngrd vm     the service on the virtual machine
  mngrd ctl    answer one request on standard input
`

// Main runs a verb and returns the exit status.
func Main(args []string) int {
	verb := ""
	if len(args) > 0 {
		verb = args[0]
	}
	switch verb {
	case "init":
		return status(initContainer(defaultPaths))
	case verbWorker:
		return status(untilSignal(func(ctx context.Context) error { return work(ctx, defaultPaths) }))
	case "vm":
		return status(untilSignal(vm.Main))
	case "ctl":
		return status(untilSignal(func(ctx context.Context) error {
			return answerOne(ctx, os.Stdin, os.Stdout, os.Stderr, defaultPaths.socket())
		}))
	case verbSFTP:
		return status(sshd.ServeSFTP(os.Stdin, os.Stdout))
	case verbRunAgent:
		if len(args) == 2 {
			return agents.Launch(args[1], os.Stderr)
		}
	case "help", "-h", "--help":
		fmt.Print(usageText)
		return 0
	}
	fmt.Fprint(os.Stderr, usageText)
	return exitUsage
}

func status(err error) int {
	if err != nil {
		fmt.Fprintf(os.Stderr, "mngrd: %v\n", err)
		return 1
	}
	return 0
}

func untilSignal(run func(context.Context) error) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	return run(ctx)
}

// initContainer is process 1. Its grace is below the ten seconds that `docker stop` gives.
func initContainer(p paths) error {
	if err := prepareContainer(p); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find the own program: %w", err)
	}
	pid1.Run(pid1.Config{Worker: []string{self, verbWorker}, Grace: workerGrace, Log: os.Stderr})
	return nil
}

// answerOne answers one request: those about the host here, on the virtual machine; all
// others by the worker behind the socket. An answer that says what went wrong is success.
func answerOne(ctx context.Context, in io.Reader, out, progress io.Writer, socket string) error {
	req, rest, err := control.ReadRequest(in)
	var answer ctl.Answer
	switch {
	case err != nil:
		answer = control.Failure(err)
	case strings.HasPrefix(req.Op, "host."):
		answer = vm.Handle(ctx, req, rest, progress)
		answer.Version = ctl.Version
	default:
		if answer, err = control.Call(ctx, socket, req, progress); err != nil {
			return err
		}
	}
	if err := json.NewEncoder(out).Encode(answer); err != nil {
		return fmt.Errorf("write the answer: %w", err)
	}
	return nil
}
