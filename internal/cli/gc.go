package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"mngr/internal/agent"
	"mngr/internal/azure"
	"mngr/internal/fleet"
)

type gcFlags struct {
	fleet.GCOptions
	dryRun    bool
	tag       string
	olderThan string
}

func newGC(app *App) *cobra.Command {
	var flags gcFlags
	cmd := &cobra.Command{
		Use:   "gc",
		Short: "Remove what failed and destroyed hosts left behind",
		Long: `Remove what failed and destroyed hosts left behind: machines whose creation was never
finished, interfaces, addresses and disks that no machine uses, role assignments of machines
that are gone, and this machine's keys of hosts that are gone.

Only what carries mngr's tags and names is touched, unfinished machines after 45 minutes, and
parts after four minutes. A provider that cannot be asked keeps everything.

With --tag and --older-than the machines that carry a tag (mngr create --tag) are destroyed
with their agents, running or not: for tests that must not leave anything.`,
		Example: "  mngr gc --dry-run\n  mngr gc\n  mngr gc --tag purpose=ci --older-than 2h --force",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := flags.condemn(); err != nil {
				return err
			}
			return runGC(cmd.Context(), app, flags)
		},
	}
	f := cmd.Flags()
	f.StringArrayVar(&flags.Providers, "provider", nil, "look only at this provider (repeatable)")
	f.BoolVar(&flags.dryRun, "dry-run", false, "say what would go, and change nothing")
	f.BoolVarP(&flags.Force, "force", "f", false, "unfinished machines younger than 45 minutes too; with --tag: do not ask")
	f.StringVar(&flags.tag, "tag", "", "destroy every host that carries this tag, KEY=VALUE, and nothing else")
	f.StringVar(&flags.olderThan, "older-than", "", "with --tag: only what is older: 90m, 2h, 0 for all")
	return cmd
}

// condemn reads the flags that condemn hosts by their tag.
func (g *gcFlags) condemn() error {
	if g.tag == "" && g.olderThan == "" {
		return nil
	}
	if g.tag == "" || g.olderThan == "" {
		return agent.Errorf(agent.KindUsage, "--tag and --older-than belong together").
			WithHint("mngr gc --dry-run --tag purpose=ci --older-than 2h")
	}
	var ok bool
	if g.TagName, g.TagValue, ok = strings.Cut(g.tag, "="); !ok || g.TagName == "" {
		return agent.Errorf(agent.KindUsage, "--tag %q is not of the form KEY=VALUE", g.tag)
	}
	if err := fleet.CheckUserTag(g.TagName, g.TagValue); err != nil {
		return err // a tag of ours is on every host
	}
	age, err := time.ParseDuration(g.olderThan)
	if err != nil || age < 0 {
		return agent.Errorf(agent.KindUsage, "--older-than %q is no duration", g.olderThan).WithHint("write 90m or 2h")
	}
	g.OlderThan = age
	return nil
}

func runGC(ctx context.Context, app *App, flags gcFlags) error {
	f, err := app.fleet()
	if err != nil {
		return err
	}
	list, err := app.findGarbage(ctx, f, flags.GCOptions)
	if err != nil {
		return err
	}
	if !flags.dryRun {
		if err := app.mayCollect(ctx, list, flags); err != nil {
			return err
		}
		err = app.collect(ctx, f, &list)
	}
	app.warnOfRoles(list)
	return errors.Join(err, app.printGC(list, flags.dryRun), garbageCode(list))
}

func (a *App) findGarbage(ctx context.Context, f *fleet.Fleet, o fleet.GCOptions) (list fleet.GarbageList, err error) {
	err = a.withProgress(func(phase agent.Progress) error {
		phase("looking for what hosts left")
		list, err = f.FindGarbage(agent.WithProgress(ctx, phase), o)
		return err
	})
	return list, err
}

func (a *App) collect(ctx context.Context, f *fleet.Fleet, list *fleet.GarbageList) error {
	a.left.CompareAndSwap(nil, leftOfGC(*list)) // what a destroy before it may have left is worse
	return a.withProgress(func(phase agent.Progress) error { return f.Collect(agent.WithProgress(ctx, phase), list, phase) })
}

// warnOfRoles names the role assignments that the login may not remove, and one command for
// somebody who may.
func (a *App) warnOfRoles(list fleet.GarbageList) {
	var ids []string
	var why string
	for _, g := range list.Items {
		if g.Kind == agent.LeftoverRole && g.Stays != nil {
			ids, why = append(ids, g.Resource), g.Stays.Error()
		}
	}
	if len(ids) > 0 {
		a.printer().Warn(fmt.Sprintf("role assignments that grant and cost nothing stay: %d; %s", len(ids), why),
			azure.RevokeCommand(ids)+" # by somebody who has that right")
	}
}

// mayCollect asks before hosts go that may have agents.
func (a *App) mayCollect(ctx context.Context, list fleet.GarbageList, flags gcFlags) error {
	if flags.TagName == "" || flags.Force {
		return nil
	}
	var names []string
	for _, g := range list.Items {
		if g.Kind == agent.LeftoverMachine && g.Kept == "" {
			names = append(names, g.Name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	if !a.interactive() {
		return agent.Errorf(agent.KindRefused, "this would destroy %d hosts with their agents (%s), and nobody can be asked; nothing was changed",
			len(names), strings.Join(names, ", ")).WithHint("add --force")
	}
	yes, err := a.printer().Confirm(ctx, fmt.Sprintf("This destroys %d hosts with their agents (%s). It cannot be undone. Go on?", len(names), strings.Join(names, ", ")))
	if err != nil {
		return err
	}
	if !yes {
		return agent.Errorf(agent.KindCanceled, "nothing was changed")
	}
	return nil
}

// collectAfter is gc after a destroy, at the providers concerned. Its troubles are
// warnings; nil when it found nothing to say.
func (a *App) collectAfter(ctx context.Context, f *fleet.Fleet, plan fleet.DestroyPlan) *gcResult {
	ctx, done := agent.Within(ctx, agent.DeadlineCollect, "collecting what earlier hosts left")
	defer done(nil) // the success of the destroy is certain by then
	o := fleet.GCOptions{Automatic: true}
	seen := map[string]bool{}
	for _, h := range plan.Hosts {
		if !seen[h.Via] {
			seen[h.Via] = true
			o.Providers = append(o.Providers, h.Via)
		}
	}
	if len(plan.Hosts) == 0 && len(plan.Agents) > 0 {
		return nil // no host went
	}
	list, err := a.findGarbage(ctx, f, o)
	if err == nil && removable(list) > 0 {
		err = a.collect(ctx, f, &list)
	}
	p := a.printer()
	if err != nil {
		p.Warn("what earlier hosts left could not be collected: "+err.Error(), "mngr gc")
	}
	for _, e := range list.Errors {
		p.Warn("what earlier hosts left could not be collected: "+e.Provider+": "+e.Err.Error(), "mngr gc")
	}
	for _, g := range list.Items {
		switch {
		case g.Removed:
			p.Note("collected %s %s: %s", kindWord(g.Kind), g.Name, g.Why)
		case g.Kind == agent.LeftoverMachine:
			p.Warn(fmt.Sprintf("host %s bills: %s", g.Name, g.Why), "mngr gc")
		}
	}
	return new(newGCResult(list, false))
}

func removable(list fleet.GarbageList) int {
	n := 0
	for _, g := range list.Items {
		if g.Kept == "" {
			n++
		}
	}
	return n
}

// garbageCode is the exit code of what could not be asked.
func garbageCode(list fleet.GarbageList) error {
	return listingCode(fleet.Listing{Errors: list.Errors})
}
