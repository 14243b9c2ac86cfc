package azlocal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"mngr/internal/azlocal/control"
	"mngr/internal/azlocal/fabric"
	"mngr/internal/azlocal/instance"
)

// maxStart is how long `up` waits: the first start makes the machine image.
const maxStart = 15 * time.Minute

type upFlags struct {
	driver, profile string
	port            int
	ifNeeded        bool
	format          string
	unknown         map[string]string
	faces           facesFlags
}

func newUp() *cobra.Command {
	var f upFlags
	cmd := &cobra.Command{
		Use:   "up",
		Short: "Start the local Azure, or check that it runs",
		Long: "Start the local Azure. The first start makes the image of the machines, which takes about a\n" +
			"minute; addresses, ids, certificates and machines stay the same from then on.\n\n" +
			"Switches for --unknown, for what nobody knows about the real Azure (first answer: default):\n" + describeUnknowns(),
		Example: "  mngr azure local up\n  mngr azure local up --driver none --unknown inline-tags=absent",
		Args:    cobra.NoArgs,
	}
	format := formatFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		f.format = *format
		if err := checkFormat(f.format); err != nil {
			return err
		}
		if err := up(cmd, f); err != nil || f.format == "human" {
			return err
		}
		st, err := status(cmd)
		if err != nil {
			return err
		}
		return emit(cmd.OutOrStdout(), f.format, st, []Status{st}, st.print)
	}
	cmd.Flags().StringVar(&f.driver, "driver", driverAuto, "what machines are: docker (containers that boot), qemu (virtual machines), none (no guest),\nauto (as before, else docker where an engine answers, else qemu where it is installed)")
	cmd.Flags().StringVar(&f.profile, "profile", "", "how slow Azure is: instant or realistic (default: as before, else instant)")
	cmd.Flags().BoolVar(&f.ifNeeded, "if-needed", false, "say nothing when it runs already")
	cmd.Flags().IntVar(&f.port, "port", 0, "port of the server on 127.0.0.1 (default: as before, else a free one)")
	f.faces.register(cmd)
	cmd.Flags().StringToStringVar(&f.unknown, "unknown", nil, "choose the answer of a switch: name=answer")
	return cmd
}

func describeUnknowns() string {
	var b strings.Builder
	for _, u := range fabric.Unknowns() {
		fmt.Fprintf(&b, "  %-28s %s: %s\n", u.Name, u.Question, strings.Join(u.Answers, ", "))
	}
	return strings.TrimRight(b.String(), "\n")
}

func up(cmd *cobra.Command, f upFlags) error {
	dir, err := instance.Dir()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return &Problem{Cause: fmt.Sprintf("the state directory cannot be made: %v", err), Remedy: "choose another one with MNGR_AZLOCAL_DIR", Err: err}
	}
	held, err := waitLock(cmd.Context(), filepath.Join(dir, "up.lock"))
	if err != nil {
		return err
	}
	defer held.Close()
	inst, err := configure(cmd.Context(), dir, f)
	if err != nil {
		return err
	}
	if pid := runningPID(inst.Path("pid")); pid != 0 && !leaving(cmd.Context(), inst) {
		return already(cmd, inst, f, pid)
	}
	renewed := inst.NewAuthority()
	if err := inst.Save(); err != nil {
		return err
	}
	if err := spawn(cmd, inst, f); err != nil {
		return err
	}
	tellFaces(cmd.ErrOrStderr(), inst, renewed)
	return nil
}

// configure loads or makes the instance and takes over the flags.
func configure(ctx context.Context, dir string, f upFlags) (*instance.Instance, error) {
	inst, err := instance.Load(dir)
	if errors.Is(err, instance.ErrNone) {
		inst, err = instance.Create(dir)
	}
	if err != nil {
		return nil, damaged(err)
	}
	if err := setDriver(ctx, inst, f.driver); err != nil {
		return nil, err
	}
	if f.profile != "" {
		inst.Profile = f.profile
	}
	if _, err := fabric.ParseProfile(inst.Profile); err != nil {
		return nil, &Problem{Cause: err.Error(), Remedy: "choose one with --profile", Misuse: true}
	}
	if f.port != 0 {
		inst.Port = f.port
	}
	if err := f.faces.apply(inst); err != nil {
		return nil, err
	}
	if inst.Switches == nil {
		inst.Switches = map[string]string{}
	}
	for name, answer := range f.unknown {
		inst.Switches[name] = answer
	}
	if _, err := fabric.NewSwitches(inst.Switches); err != nil {
		return nil, &Problem{Cause: err.Error(), Remedy: "mngr azure local up --help", Misuse: true}
	}
	return inst, nil
}

// setDriver keeps the driver that the machines were made with.
func setDriver(ctx context.Context, inst *instance.Instance, wish string) error {
	switch wish {
	case driverDocker, driverQEMU, driverNone:
		if inst.Driver != wish && inst.Started() {
			return &Problem{Cause: fmt.Sprintf("the local Azure in %s was made with the driver %s", inst.Dir, inst.Driver),
				Remedy: "mngr azure local reset # removes it with everything in it; or use another MNGR_AZLOCAL_DIR"}
		}
		inst.Driver, inst.DriverWhy = wish, ""
		return nil
	case driverAuto:
		if inst.Driver != "" && inst.Started() {
			return nil
		}
		var err error
		inst.Driver, inst.DriverWhy, err = chooseDriver(ctx)
		return err
	}
	return &Problem{Cause: fmt.Sprintf("there is no driver %q", wish), Remedy: "drivers: docker, qemu, none, auto", Misuse: true}
}

// leaving tells whether a daemon that could not start, or was told to stop, ended while it
// was asked.
func leaving(ctx context.Context, inst *instance.Instance) bool {
	var st Status
	err := control.Call(ctx, inst.Dir, "GET", "/status", nil, &st)
	return (err != nil || st.Failure != "") && gone(ctx, inst.Path("pid"))
}

// already answers `up` when the daemon runs.
func already(cmd *cobra.Command, inst *instance.Instance, f upFlags, pid int) error {
	var st Status
	if err := control.Call(cmd.Context(), inst.Dir, "GET", "/status", nil, &st); err != nil {
		return &Problem{Cause: fmt.Sprintf("the daemon (pid %d) does not answer: %v", pid, err), Remedy: fmt.Sprintf("kill %d # ends it; then again: mngr azure local up", pid), Err: err}
	}
	if f.port != 0 && st.Endpoint != inst.Endpoint() || f.profile != "" && f.profile != st.Profile {
		return &Problem{Cause: "the local Azure runs with another port or profile", Remedy: "mngr azure local down # then repeat the command"}
	}
	if stored, err := instance.Load(inst.Dir); err == nil && !stored.Faces.Equal(inst.Faces) {
		return &Problem{Cause: "the local Azure runs with other addresses or names", Remedy: "mngr azure local down # then repeat the command"}
	}
	st, err := wait(cmd, inst, func() bool { return runningPID(inst.Path("pid")) == 0 })
	if err != nil {
		return err
	}
	if len(f.unknown) > 0 {
		if err := control.Call(cmd.Context(), inst.Dir, "POST", "/switch", f.unknown, nil); err != nil {
			return err
		}
		if err := inst.Save(); err != nil {
			return err
		}
	}
	if f.ifNeeded {
		return nil
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "local Azure runs at %s (pid %d, %s)\n", inst.Endpoint(), pid, st.driver())
	return next(cmd, f)
}

// spawn starts the daemon in a session of its own and waits until it answers.
func spawn(cmd *cobra.Command, inst *instance.Instance, f upFlags) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	log, err := os.OpenFile(inst.Path("daemon.log"), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("open the daemon's log: %w", err)
	}
	defer log.Close()
	path := strings.Fields(cmd.Parent().CommandPath())
	serve := exec.Command(self, append(path[1:], "serve")...)
	serve.Env = append(os.Environ(), "MNGR_AZLOCAL_DIR="+inst.Dir)
	serve.Dir = inst.Dir
	serve.Stdout, serve.Stderr = log, log
	serve.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := serve.Start(); err != nil {
		return fmt.Errorf("start the daemon: %w", err)
	}
	exited := make(chan struct{})
	go func() {
		_ = serve.Wait() // why it ended is in its status or log
		close(exited)
	}()
	st, err := wait(cmd, inst, func() bool {
		select {
		case <-exited:
			return true
		default:
			return false
		}
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "local Azure is up at %s (%s, state in %s)\n", inst.Endpoint(), st.driver(), inst.Dir)
	return next(cmd, f)
}

// next tells a stranger what to do with a local Azure that runs.
func next(cmd *cobra.Command, f upFlags) error {
	if f.format != "human" {
		return nil
	}
	local := cmd.Parent().CommandPath()
	_, err := fmt.Fprintf(cmd.ErrOrStderr(), "for Microsoft's SDKs and az: eval \"$(%s env)\"; where everything is: %s status --format json\n", local, local)
	return err
}

// wait shows the daemon's phases until it is ready, has failed or is gone.
func wait(cmd *cobra.Command, inst *instance.Instance, gone func() bool) (Status, error) {
	ctx, cancel := context.WithTimeout(cmd.Context(), maxStart)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	shown, start := "", time.Now()
	for {
		over := gone()
		var st Status
		err := control.Call(ctx, inst.Dir, "GET", "/status", nil, &st)
		switch {
		case err == nil && st.Failure != "":
			_ = control.Call(ctx, inst.Dir, "POST", "/stop", stopRequest{}, nil) // it ends by itself as well
			return st, failed(inst, st.Failure)
		case err == nil && st.Ready:
			return st, nil
		case err == nil && st.Phase != shown:
			shown = st.Phase
			fmt.Fprintf(cmd.ErrOrStderr(), "%5.1fs  %s\n", time.Since(start).Seconds(), shown)
		case err != nil && over:
			return st, failed(inst, "the daemon ended at once")
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return st, &Problem{Cause: "the local Azure did not start in time", Remedy: "see " + inst.Path("daemon.log"), Err: ctx.Err()}
		}
	}
}

func failed(inst *instance.Instance, cause string) error {
	cause, _, _ = strings.Cut(cause, "\n")
	remedy := "see " + inst.Path("daemon.log")
	if inst.Driver != driverNone {
		remedy = "mngr azure local up --driver none # does without machines that boot; why they do not: " + inst.Path("daemon.log")
	}
	if strings.Contains(cause, "address already in use") {
		remedy = "choose another port with --port, or another address with --listen"
	}
	if strings.Contains(cause, "bind: permission denied") {
		remedy = "run it as root, whose the ports below 1024 are, or add a port above to --listen"
	}
	if strings.Contains(cause, "is damaged") {
		remedy = "mngr azure local reset # removes the instance with everything in it; or restore the file"
	}
	return &Problem{Cause: cause, Remedy: remedy}
}

// waitLock waits for another `up` that is under way.
func waitLock(ctx context.Context, path string) (io.Closer, error) {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		f, err := lock(path)
		if !errors.Is(err, errLocked) {
			return f, err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
