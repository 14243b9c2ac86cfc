package azlocal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"mngr/internal/azlocal/compute"
	"mngr/internal/azlocal/control"
	"mngr/internal/azlocal/instance"
)

func newStatus() *cobra.Command {
	cmd := &cobra.Command{
		Use: "status", Args: cobra.NoArgs,
		Short: "Show whether the local Azure runs, its machines and what would be billed",
	}
	format := ""
	// The program's own --format is inherited where there is one.
	cmd.Flags().StringVar(&format, "format", "human", "human or json")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		st, err := status(cmd)
		if err != nil {
			return err
		}
		switch format {
		case "json":
			enc := json.NewEncoder(cmd.OutOrStdout())
			enc.SetIndent("", "  ")
			return enc.Encode(st)
		case "jsonl":
			return json.NewEncoder(cmd.OutOrStdout()).Encode(st)
		case "human":
			return printStatus(cmd.OutOrStdout(), st)
		}
		return &Problem{Cause: fmt.Sprintf("there is no format %q", format), Remedy: "formats: human, json, jsonl"}
	}
	return cmd
}

// gone tells whether a daemon that broke off was dying: its socket goes before its lock.
func gone(ctx context.Context, pidFile string) bool {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	for runningPID(pidFile) != 0 {
		select {
		case <-ctx.Done():
			return false
		case <-time.After(20 * time.Millisecond):
		}
	}
	return true
}

func status(cmd *cobra.Command) (Status, error) {
	st := Status{VMs: []compute.VMStatus{}, Billed: []compute.Charge{}}
	inst, err := load()
	if errors.Is(err, instance.ErrNone) {
		return st, nil
	}
	if err != nil {
		return st, err
	}
	st.Client = inst.Client()
	pid := runningPID(inst.Path("pid"))
	if pid == 0 {
		return st, nil
	}
	if err := control.Call(cmd.Context(), inst.Dir, "GET", "/status", nil, &st); err != nil {
		if gone(cmd.Context(), inst.Path("pid")) {
			return Status{Client: st.Client, VMs: []compute.VMStatus{}, Billed: []compute.Charge{}}, nil
		}
		return st, &Problem{Cause: fmt.Sprintf("the daemon (pid %d) does not answer: %v", pid, err), Remedy: "see " + inst.Path("daemon.log"), Err: err}
	}
	return st, nil
}

// note puts what there is to tell of a driver into one text.
func note(about, why string) string {
	if why != "" {
		why = "chosen because " + why
	}
	return strings.Trim(about+"; "+why, "; ")
}

// driver is for people: "driver qemu: kvm".
func (st Status) driver() string {
	return strings.TrimSuffix("driver "+st.Driver+": "+st.DriverNote, ": ")
}

func printStatus(w io.Writer, st Status) error {
	switch {
	case st.Endpoint == "":
		_, err := fmt.Fprintln(w, "no local Azure; start one with `mngr azure local up`")
		return err
	case !st.Running:
		_, err := fmt.Fprintf(w, "local Azure is down (was %s, driver %s); start it with `mngr azure local up`\n", st.Endpoint, st.Driver)
		return err
	}
	fmt.Fprintf(w, "local Azure runs at %s (pid %d, profile %s, %s)\n", st.Endpoint, st.PID, st.Profile, st.driver())
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	if len(st.VMs) > 0 {
		fmt.Fprintln(t, "\nVM\tGROUP\tPROVISIONING\tPOWER\tADDRESS\tCOMPUTE")
	}
	for _, vm := range st.VMs {
		billed := "not billed"
		if vm.Billed {
			billed = "billed"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", vm.Name, vm.Group, vm.Provisioning, vm.Power, vm.PublicIP, billed)
	}
	total := 0.0
	for _, c := range st.Billed {
		total += c.PerHour
	}
	fmt.Fprintf(t, "\nOn Azure this would cost about $%.3f an hour (%d things billed).\n", total, len(st.Billed))
	return t.Flush()
}
