package azlocal

import (
	"fmt"
	"io"
	"maps"
	"net/url"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"mngr/internal/azlocal/fault"
)

func newFault() *cobra.Command {
	cmd := &cobra.Command{
		Use: "fault", Args: cobra.NoArgs,
		Short: "Make the local Azure refuse, fail, stall or drop what it is asked for",
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newFaultAdd(), newFaultList(), newFaultRemove())
	return cmd
}

// effects are the flags of which one is given.
type effects struct {
	rule     fault.Rule
	match    []string
	lasts    time.Duration
	fails    string
	delay    time.Duration
	drop     string
	throttle bool
	never    bool
}

func newFaultAdd() *cobra.Command {
	var f effects
	cmd := &cobra.Command{
		Use: "add --on OPERATION EFFECT", Args: cobra.NoArgs,
		Short: "Add a fault and print its id",
		Long: `Add a fault and print its id. It hits the next matching call, once, unless --nth, --times
or --for say otherwise; it is gone when the local Azure ends.

OPERATION is a name as 'mngr azure local log' shows it, such as
Microsoft.Compute/virtualMachines/write; or entra:token; or imds: and a path. In it, in
--resource and in the values of --match, * stands for any characters; case does not matter.

The effect is one of --status, --throttle, --operation-fails, --delay, --drop, --never-finish.`,
		Example: `  mngr azure local fault add --on Microsoft.Compute/virtualMachines/write --operation-fails AllocationFailed
  mngr azure local fault add --on '*/deallocate/action' --status 409 --code Conflict --times 2
  mngr azure local fault add --on Microsoft.Compute/virtualMachines/write --match location=westus --status 409 --code SkuNotAvailable
  mngr azure local fault add --on 'Microsoft.Compute/*' --throttle --retry-after 2
  mngr azure local fault add --on 'imds:/metadata/identity/*' --status 400 --times 3
  mngr azure local fault add --on entra:token --delay 5s --for 1m`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			rule, err := f.build(cmd)
			if err != nil {
				return err
			}
			var added fault.Rule
			if err := ask(cmd, "POST", "/faults", rule, &added); err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), added.ID)
			return err
		},
	}
	f.bind(cmd)
	return cmd
}

func (f *effects) bind(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.rule.On, "on", "", "the operations that are hit")
	flags.StringVar(&f.rule.Resource, "resource", "", "only for resources whose id matches")
	flags.StringArrayVar(&f.match, "match", nil, "only for requests whose body has this value (path=value, repeatable)")
	flags.IntVar(&f.rule.Nth, "nth", 1, "begin with the nth matching call")
	flags.IntVar(&f.rule.Times, "times", 1, "how many calls are hit; 0: all (the default where --for is given)")
	flags.DurationVar(&f.lasts, "for", 0, "how long the fault lasts, from now on")
	flags.IntVar(&f.rule.Status, "status", 0, "answer with this status, from 400 to 599")
	flags.StringVar(&f.rule.Code, "code", "", "error code of --status (default: the one that goes with it)")
	flags.StringVar(&f.rule.Message, "message", "", "error text (default: Azure's for the code)")
	flags.IntVar(&f.rule.RetryAfter, "retry-after", 0, "seconds of the Retry-After header of --status and --throttle")
	flags.BoolVar(&f.throttle, "throttle", false, "answer with compute's own 429, whose body has no envelope")
	flags.StringVar(&f.fails, "operation-fails", "", "accept the request, then end its operation as failed, with this code")
	flags.DurationVar(&f.delay, "delay", 0, "serve the request that much later")
	flags.StringVar(&f.drop, "drop", "", "cut the connection: before, or after the work is done")
	flags.BoolVar(&f.never, "never-finish", false, "accept the request, and leave its operation in progress for ever")
}

// build makes the rule that the flags describe.
func (f *effects) build(cmd *cobra.Command) (fault.Rule, error) {
	r, changed := f.rule, cmd.Flags().Changed
	if n := f.given(changed); n != 1 {
		return r, wrong("a fault has one effect: --status, --throttle, --operation-fails, --delay, --drop or --never-finish")
	}
	r.For, r.Wait = f.lasts.Seconds(), f.delay.Seconds()
	if changed("for") && !changed("times") {
		r.Times = 0
	}
	switch {
	case changed("nth") && r.Nth < 1:
		return r, wrong("--nth counts from 1")
	case changed("code") && !changed("status"):
		return r, wrong("--code goes with --status only")
	case changed("retry-after") && !changed("status") && !f.throttle:
		return r, wrong("--retry-after goes with --status and --throttle only")
	}
	switch {
	case changed("status"):
		r.Effect = fault.Refuse
	case f.throttle:
		r.Effect = fault.Throttle
	case changed("operation-fails"):
		r.Effect, r.Code = fault.Fail, f.fails
	case changed("delay"):
		r.Effect = fault.Delay
	case f.drop == "before" || f.drop == "after":
		r.Effect = fault.Kind("drop-" + f.drop)
	case f.never:
		r.Effect = fault.NeverFinish
	default:
		return r, wrong("--drop is before or after; --throttle and --never-finish are not false")
	}
	for _, pair := range f.match {
		path, value, ok := strings.Cut(pair, "=")
		if !ok || path == "" {
			return r, wrong(fmt.Sprintf("--match %s is not path=value", pair))
		}
		if r.Match == nil {
			r.Match = map[string]string{}
		}
		r.Match[path] = value
	}
	if err := r.Check(); err != nil {
		return r, wrong(err.Error())
	}
	return r, nil
}

// given counts the effects.
func (f *effects) given(changed func(string) bool) int {
	n := 0
	for _, name := range []string{"status", "throttle", "operation-fails", "delay", "drop", "never-finish"} {
		if changed(name) {
			n++
		}
	}
	return n
}

func wrong(cause string) error {
	return &Problem{Cause: cause, Remedy: "see `mngr azure local fault add --help`", Misuse: true}
}

func newFaultList() *cobra.Command {
	cmd := &cobra.Command{
		Use: "list", Args: cobra.NoArgs,
		Short: "List the faults and how often each was hit",
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
	if f.Nth > 1 {
		out += fmt.Sprintf(" from call %d on", f.Nth)
	}
	return out
}

func newFaultRemove() *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:   "remove ID | --all",
		Short: "End a fault, or all of them; operations it made hang or fail stay as they are",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case all == (len(args) == 1):
				return &Problem{Cause: "say which fault: its id, or --all", Remedy: "mngr azure local fault list", Misuse: true}
			case all:
				return ask(cmd, "DELETE", "/faults", nil, nil)
			}
			return ask(cmd, "DELETE", "/faults/"+url.PathEscape(args[0]), nil, nil)
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "end all faults")
	return cmd
}
