package azlocal

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
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
	hold     string
	throttle bool
	never    bool
	kill     bool
	hang     bool
	evict    bool
	broken   bool
	refuse   bool
	cut      bool
	stall    bool
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

The effect is one of --status, --throttle, --operation-fails, --delay, --drop, --hold,
--never-finish, --invalid-json, --kill-machine, --hang-sshd, --evict. The last three befall
the machine that the call concerns, when its work is done.

With tcp: and a port (tcp:22, or tcp:* for all) it is about connections to the public
addresses of machines, each of which counts once its machine has taken it; the effect is
then one of --refuse, --cut and --hang.

Faults survive 'down' and kill -9. The same can be asked for over the control socket; see
docs/azlocal.md.`,
		Example: `  mngr azure local fault add --on Microsoft.Compute/virtualMachines/write --operation-fails AllocationFailed
  mngr azure local fault add --on '*/deallocate/action' --status 409 --code Conflict --times 2
  mngr azure local fault add --on Microsoft.Compute/virtualMachines/write --match location=westus --status 409 --code SkuNotAvailable
  mngr azure local fault add --on 'Microsoft.Compute/*' --throttle --retry-after 2
  mngr azure local fault add --on 'imds:/metadata/identity/*' --status 400 --times 3
  mngr azure local fault add --on entra:token --delay 5s --for 1m
  mngr azure local fault add --on '*/delete' --parts --nth 2 --status 409
  mngr azure local fault add --on '*' --chance 0.1 --seed 7 --times 0 --status 502 --html
  mngr azure local fault add --on Microsoft.Compute/virtualMachines/write --hang-sshd
  mngr azure local fault add --on tcp:22 --refuse --times 3
  mngr azure local fault add --on tcp:2222 --nth 2 --cut --after 20000
  mngr azure local fault add --on 'tcp:*' --hang --now --times 0`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			rule, err := f.build(cmd.Flags().Changed)
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
	flags.Float64Var(&f.rule.Chance, "chance", 0, "hit each of the calls with this probability, from 0 to 1")
	flags.Uint64Var(&f.rule.Seed, "seed", 0, "makes --chance hit the same calls again (default: another one each time)")
	flags.BoolVar(&f.rule.Parts, "parts", false, "only deletions that nobody asked for: of the parts of a machine or a group")
	flags.IntVar(&f.rule.Status, "status", 0, "answer with this status, from 400 to 599")
	flags.StringVar(&f.rule.Code, "code", "", "error code of --status (default: the one that goes with it)")
	flags.StringVar(&f.rule.Message, "message", "", "error text (default: Azure's for the code)")
	flags.IntVar(&f.rule.RetryAfter, "retry-after", 0, "seconds of the Retry-After header of --status and --throttle")
	flags.BoolVar(&f.throttle, "throttle", false, "answer with compute's own 429, whose body has no envelope")
	flags.StringVar(&f.fails, "operation-fails", "", "accept the request, then end its operation as failed, with this code")
	flags.DurationVar(&f.delay, "delay", 0, "serve the request that much later")
	flags.BoolVar(&f.rule.HTML, "html", false, "the answer of --status is a gateway's page instead of JSON")
	flags.StringVar(&f.drop, "drop", "", "cut the connection: before, or after the work is done, or during the answer to it")
	flags.StringVar(&f.hold, "hold", "", "let the request wait before its work, or its answer after the work, until the fault is removed")
	flags.BoolVar(&f.broken, "invalid-json", false, "do the work, then answer with a body that is no JSON")
	flags.BoolVar(&f.kill, "kill-machine", false, "do the work, then cut the machine's power")
	flags.BoolVar(&f.hang, "hang-sshd", false, "do the work, then make the machine's sshd stand still")
	flags.BoolVar(&f.evict, "evict", false, "do the work, then take the Spot machine's capacity back")
	flags.BoolVar(&f.refuse, "refuse", false, "reset the connection before a byte has passed")
	flags.BoolVar(&f.cut, "cut", false, "reset both ends of the connection")
	flags.BoolVar(&f.stall, "hang", false, "leave the connection open and let nothing pass, until the fault is removed")
	flags.Int64Var(&f.rule.After, "after", 0, "let this many bytes pass, both ways together, before --cut or --hang")
	flags.BoolVar(&f.rule.Now, "now", false, "--cut or --hang connections that are open, too; they count first")
	flags.BoolVar(&f.never, "never-finish", false, "accept the request, and leave its operation in progress for ever")
}

// build makes the rule that the flags describe.
func (f *effects) build(changed func(string) bool) (fault.Rule, error) {
	r := f.rule
	r.For, r.Wait = f.lasts.Seconds(), f.delay.Seconds()
	if changed("for") && !changed("times") {
		r.Times = 0
	}
	if err := f.combined(changed); err != nil {
		return r, err
	}
	if r.Chance > 0 && !changed("seed") {
		r.Seed = rand.Uint64N(1 << 32) //nolint:gosec // no secret: it is shown, to be given again
	}
	effect, err := f.effect(changed)
	if err != nil {
		return r, err
	}
	r.Effect = effect
	if effect == fault.Fail {
		r.Code = f.fails
	}
	if r.Match, err = f.matches(); err != nil {
		return r, err
	}
	if err := r.Check(); err != nil {
		return r, wrong(err.Error())
	}
	return r, nil
}

// combined refuses flags that say nothing together.
func (f *effects) combined(changed func(string) bool) error {
	switch {
	case changed("nth") && f.rule.Nth < 1:
		return wrong("--nth counts from 1")
	case changed("code") && !changed("status"):
		return wrong("--code goes with --status only")
	case f.rule.HTML && !changed("status"):
		return wrong("--html goes with --status only")
	case changed("retry-after") && !changed("status") && !f.throttle:
		return wrong("--retry-after goes with --status and --throttle only")
	case (changed("after") || changed("now")) && !f.cut && !f.stall:
		return wrong("--after and --now go with --cut and --hang only")
	case changed("seed") && !changed("chance"):
		return wrong("--seed goes with --chance only")
	case changed("chance") && (f.rule.Chance <= 0 || f.rule.Chance > 1):
		return wrong("--chance is more than 0 and at most 1")
	}
	return nil
}

// effect is the one that was given.
func (f *effects) effect(changed func(string) bool) (fault.Kind, error) {
	kinds := map[string]fault.Kind{"status": fault.Refuse, "throttle": fault.Throttle, "operation-fails": fault.Fail, "delay": fault.Delay, "drop": fault.Kind("drop-" + f.drop), "hold": fault.Kind("hold-" + f.hold),
		"never-finish": fault.NeverFinish, "invalid-json": fault.InvalidJSON, "kill-machine": fault.KillMachine, "hang-sshd": fault.HangSSH, "evict": fault.EvictMachine,
		"refuse": fault.RefuseConnection, "cut": fault.CutConnection, "hang": fault.HangConnection}
	var given []string
	for _, name := range slices.Sorted(maps.Keys(kinds)) {
		if changed(name) {
			given = append(given, name)
		}
	}
	if len(given) != 1 {
		return "", wrong("a fault has one effect: --status, --throttle, --operation-fails, --delay, --drop, --hold, --never-finish, --invalid-json, --kill-machine, --hang-sshd or --evict, for connections --refuse, --cut or --hang")
	}
	on := map[string]bool{"throttle": f.throttle, "never-finish": f.never, "invalid-json": f.broken, "kill-machine": f.kill, "hang-sshd": f.hang, "evict": f.evict, "refuse": f.refuse, "cut": f.cut, "hang": f.stall}
	if is, flag := on[given[0]]; flag && !is {
		return "", wrong("--" + given[0] + " is not false")
	}
	if changed("drop") && !slices.Contains([]string{"before", "after", "during"}, f.drop) {
		return "", wrong("--drop is before, after or during")
	}
	if changed("hold") && !slices.Contains([]string{"before", "after"}, f.hold) {
		return "", wrong("--hold is before or after")
	}
	return kinds[given[0]], nil
}

func (f *effects) matches() (map[string]string, error) {
	if len(f.match) == 0 {
		return nil, nil
	}
	out := map[string]string{}
	for _, pair := range f.match {
		path, value, ok := strings.Cut(pair, "=")
		if !ok || path == "" {
			return nil, wrong(fmt.Sprintf("--match %s is not path=value", pair))
		}
		out[path] = value
	}
	return out, nil
}

func wrong(cause string) error {
	return &Problem{Cause: cause, Remedy: "mngr azure local fault add --help", Misuse: true}
}
