package azurecheck

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"
)

// tagName is on everything that a check makes; its value is when the check began.
const tagName = "mngr-check"

// lifetime is how long what a check makes may live; machines end themselves after it.
const lifetime = 2 * time.Hour

// Options of a check.
type Options struct {
	Binary  string // the built mngr
	Local   bool   // ask the local Azure, which runs
	Confirm bool   // do not ask before money is spent
	Region  string
	In      io.Reader
	Out     io.Writer
}

// check is one run.
type check struct {
	Options
	c        *arm
	r        *runner
	guest    bool // machines boot
	group    string
	tagTime  string
	findings []Finding
}

// Run lives one agent's life and asks every question, removes all it made, also when it
// fails or ctx ends, and prints the table of answers.
func Run(ctx context.Context, o Options) error {
	k := &check{Options: o, group: "mngr-check-" + randomHex(4), tagTime: time.Now().UTC().Format("2006-01-02T15.04.05Z")}
	if err := k.open(); err != nil {
		return err
	}
	defer os.RemoveAll(k.r.dir)
	k.announce()
	if !o.Local && !o.Confirm && !k.confirmed() {
		return errors.New("nothing was done; CONFIRM=yes answers beforehand")
	}
	err := k.work(ctx)
	if err != nil {
		fmt.Fprintf(o.Out, "\nazure-check: %v\n", err)
	}
	err = errors.Join(err, k.removeAll(context.WithoutCancel(ctx)))
	k.report()
	return err
}

func (k *check) open() (err error) {
	k.r = &runner{binary: k.Binary, provider: "azure", out: k.Out}
	if k.r.binary, err = filepath.Abs(k.Binary); err != nil {
		return err
	}
	k.guest = true
	if k.Local {
		var driver string
		k.r.provider = "azure-local"
		if k.c, driver, err = local(); err != nil {
			return err
		}
		k.guest = driver != "none"
	} else if k.c, err = public(); err != nil {
		return err
	}
	if k.r.dir, err = os.MkdirTemp("", "azure-check"); err != nil {
		return err
	}
	k.r.env = []string{"MNGR_HOST_DIR=" + filepath.Join(k.r.dir, "mngr")}
	for key, value := range map[string]string{"RESOURCE_GROUP": k.group, "AUTO_SHUTDOWN_SECONDS": fmt.Sprint(int(lifetime.Seconds())), "DEFAULT_REGION": k.Region} {
		if value != "" {
			k.r.env = append(k.r.env, k.variable(key)+"="+value)
		}
	}
	return nil
}

func (k *check) variable(key string) string {
	return "MNGR__PROVIDERS__" + strings.ToUpper(strings.ReplaceAll(k.r.provider, "-", "_")) + "__" + key
}

// announce says what it will cost, and how to remove it should this program die.
func (k *check) announce() {
	if k.Local {
		fmt.Fprintln(k.Out, "On the local Azure: this costs nothing.")
	} else {
		fmt.Fprint(k.Out, `Two machines Standard_B2s with disk and address, for less than an hour: about 0.10 USD; should
everything stay for its lifetime of 2 hours: about 0.25 USD (list prices of East US, 2025).
`)
	}
	fmt.Fprintf(k.Out, "Everything is made in resource group %s with the tag %s=%s, and removed at the end.\nShould this program be killed:\n", k.group, tagName, k.tagTime)
	fmt.Fprintf(k.Out, "  %s=%s mngr gc --provider %s --tag %s=%s --older-than 2h --force\n", k.variable("RESOURCE_GROUP"), k.group, k.r.provider, tagName, k.tagTime)
	fmt.Fprintf(k.Out, "  mngr azure cleanup --provider %s --resource-group %s\n", k.r.provider, k.group)
}

func (k *check) confirmed() bool {
	fmt.Fprint(k.Out, "Go on? [y/N] ")
	line, _ := bufio.NewReader(k.In).ReadString('\n')
	line = strings.ToLower(strings.TrimSpace(line))
	return line == "y" || line == "yes"
}

func (k *check) work(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, lifetime)
	defer cancel()
	text, err := k.r.mngr(ctx, "azure", "prepare", "--provider", k.r.provider, "--format", "json")
	if err != nil {
		return err
	}
	var prepared struct {
		Subscription string `json:"subscription_id"`
		Region       string `json:"region"`
	}
	if err := json.Unmarshal([]byte(text), &prepared); err != nil {
		return fmt.Errorf("read what prepare said: %w", err)
	}
	another := func() *probe {
		return newProbe(k.c, "/subscriptions/"+prepared.Subscription+"/resourceGroups/"+k.group, prepared.Region, k.tagTime, k.r.provider)
	}
	p := another()
	idle := 3 * time.Minute
	if k.Local {
		idle = time.Minute
	}
	err = k.r.life(ctx, k.guest, idle, tagName+"="+k.tagTime, func() error {
		if !k.guest {
			k.note(Finding{Switch: "list-with-group-rights", Question: "a subscription's list for a caller with rights on a group only",
				Evidence: "not asked: machines of the driver none have no guest; exec, start and idle are left out too"})
			_, err := agentPrincipal(ctx, k.c, p.group)
			return err
		}
		return k.ask(k.r.groupOnly(ctx, k.c, p))
	})
	return errors.Join(err, k.probe(ctx, another)) // the questions do not depend on the life
}

func (k *check) note(f Finding) { k.findings = append(k.findings, f) }

func (k *check) ask(f Finding, err error) error {
	if err != nil {
		f.Answer = ""
		f.Evidence = "not answered: " + short(err.Error())
	}
	k.note(f)
	return err
}

// probe asks all questions of one machine, in an order in which one does not spoil the next.
func (k *check) probe(ctx context.Context, another func() *probe) error {
	p, err := k.makeProbe(ctx, another)
	if err != nil {
		return err
	}
	errs := []error{k.ask(p.inlineTags(ctx)), k.ask(p.expand(ctx))}
	running, err := p.usedCores(ctx)
	errs = append(errs, err, k.ask(p.duringOperation(ctx)))
	errs = append(errs, k.ask(p.quota(ctx, running)))
	patience := time.Minute
	if k.Local {
		patience = 2 * time.Second
	}
	return errors.Join(append(errs, k.ask(p.outlives(ctx, patience)))...)
}

// mostMachines bounds the machines that are made because one was made too fast to be
// watched, as the local Azure may.
const mostMachines = 8

func (k *check) makeProbe(ctx context.Context, another func() *probe) (*probe, error) {
	for n := 1; ; n++ {
		p := another()
		fmt.Fprintf(k.Out, "\nasking the questions on machine %s\n", p.name)
		made, err := p.make(ctx)
		if err != nil {
			return nil, k.ask(made, err)
		}
		settled, err := p.settle(ctx)
		if err != nil || settled.Answer != "" || n == mostMachines {
			k.note(made)
			return p, k.ask(settled, err)
		}
		if err := p.remove(ctx); err != nil {
			return nil, k.ask(settled, err)
		}
	}
}

// removeAll leaves nothing behind, whatever came before.
func (k *check) removeAll(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 45*time.Minute)
	defer cancel()
	_, err := k.r.mngr(ctx, "gc", "--provider", k.r.provider, "--tag", tagName+"="+k.tagTime, "--older-than", "0s", "--force")
	_, cleanup := k.r.mngr(ctx, "azure", "cleanup", "--provider", k.r.provider)
	// A probe's address may go a while after its machine, and without tags it looks foreign.
	for look := 0; cleanup != nil && look < 10 && pause(ctx, 3*time.Second) == nil; look++ {
		_, cleanup = k.r.mngr(ctx, "azure", "cleanup", "--provider", k.r.provider)
	}
	if err := errors.Join(err, cleanup); err != nil {
		return fmt.Errorf("something may be left, and bill, in resource group %s: %w", k.group, err)
	}
	return nil
}

func (k *check) report() {
	fmt.Fprintln(k.Out)
	t := tabwriter.NewWriter(k.Out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "SWITCH\tQUESTION\tANSWER\tEVIDENCE")
	for _, f := range k.findings {
		answer := f.Answer
		if answer == "" {
			answer = "-"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", f.Switch, f.Question, answer, f.Evidence)
	}
	_ = t.Flush()
}
