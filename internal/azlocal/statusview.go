package azlocal

import (
	"cmp"
	"fmt"
	"io"
	"text/tabwriter"

	"mngr/internal/azlocal/arm"
)

// print shows the status to people.
func (st Status) print(w io.Writer) error {
	switch {
	case st.Endpoint == "":
		_, err := fmt.Fprintln(w, "no local Azure; start one with `mngr azure local up`")
		return err
	case !st.Running:
		_, err := fmt.Fprintf(w, "local Azure is down (was %s, driver %s); start it with `mngr azure local up`\n", st.Endpoint, st.Driver)
		return err
	}
	fmt.Fprintf(w, "local Azure runs at %s (pid %d, profile %s, %s)\n", st.Endpoint, st.PID, st.Profile, st.driver())
	if st.Faults.Active > 0 {
		fmt.Fprintf(w, "%d of %d faults can still hit (`mngr azure local fault list`)\n", st.Faults.Active, st.Faults.Added)
	}
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	if len(st.VMs) > 0 {
		fmt.Fprintln(t, "\nVM\tGROUP\tPROVISIONING\tPOWER\tADDRESS\tCOMPUTE")
	}
	for _, vm := range st.VMs {
		billed := "not billed"
		if vm.Billed {
			billed = "billed"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", vm.Name, vm.Group, vm.Provisioning, cmp.Or(string(vm.Power), "-"), dash(vm.PublicIP), billed)
	}
	if len(st.Billed) > 0 {
		fmt.Fprintln(t, "\nBILLED\tMETER\tITEM\tREGION\tUSD/HOUR")
	}
	for _, c := range st.Billed {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", arm.Name(c.Resource), c.Meter, c.Item, c.Region, dollarsAnHour(c.PerHour))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	unknown := ""
	if st.Cost.Unknown > 0 {
		unknown = fmt.Sprintf(", and %d without a known price", st.Cost.Unknown)
	}
	_, err := fmt.Fprintf(w, "\nOn Azure this would cost about $%.3f an hour (%d things billed%s); so far it would have cost $%.4f.\n", st.Cost.PerHour, len(st.Billed), unknown, st.Cost.SoFar)
	return err
}

func dollarsAnHour(price *float64) string {
	if price == nil {
		return "unknown"
	}
	return fmt.Sprintf("%.5f", *price)
}
