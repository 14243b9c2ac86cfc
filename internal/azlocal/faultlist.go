package azlocal

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"net/url"
	"slices"
	"text/tabwriter"

	"github.com/spf13/cobra"
)

func newFaultList() *cobra.Command {
	cmd := &cobra.Command{
		Use: "list", Args: cobra.NoArgs,
		Short: "List the faults, how often each hit, and which never did",
	}
	format := formatFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		var all faultList
		if err := ask(cmd, "GET", "/faults", nil, &all); err != nil {
			return err
		}
		return emit(cmd.OutOrStdout(), *format, all, all.Faults, all.print)
	}
	return cmd
}

func (l faultList) print(w io.Writer) error {
	if len(l.Faults) == 0 {
		return nil
	}
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "ID\tHITS\tSTATE\tON\tEFFECT")
	for _, f := range l.Faults {
		state := "active"
		if !f.Active {
			state = "over"
		}
		hits := fmt.Sprint(f.Hits)
		if f.Hits == 0 {
			hits = "never"
		}
		if f.Times > 0 {
			hits += fmt.Sprintf("/%d", f.Times)
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", f.ID, hits, state, f.where(), f.Describe())
	}
	return t.Flush()
}

// where is everything that narrows a fault down.
func (f faultStatus) where() string {
	out := f.On
	if f.Resource != "" {
		out += " of " + f.Resource
	}
	for _, path := range slices.Sorted(maps.Keys(f.Match)) {
		out += fmt.Sprintf(" with %s=%s", path, f.Match[path])
	}
	if f.Parts {
		out += " of parts"
	}
	if f.Nth > 1 {
		out += fmt.Sprintf(" from call %d on", f.Nth)
	}
	return out
}

func newFaultRemove() *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:   "remove ID... | --all",
		Short: "End faults, or all of them; operations that they made hang or fail stay as they are",
		Args:  cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			switch {
			case all == (len(args) > 0):
				return &Problem{Cause: "say which faults: their ids, or --all", Remedy: "mngr azure local fault list", Misuse: true}
			case all:
				return ask(cmd, "DELETE", "/faults", nil, nil)
			}
			for _, id := range args { // one that is not there keeps no other one
				err = cmp.Or(err, ask(cmd, "DELETE", "/faults/"+url.PathEscape(id), nil, nil))
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "end all faults")
	return cmd
}
