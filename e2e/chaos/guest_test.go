package chaos

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"mngr/e2e/rig"
)

// whole is what `make chaos` sets; without it a choice is made that takes less than a minute.
func whole() bool { return os.Getenv("CHAOS") == "all" }

// TestGuest lets trouble come to every step of create, stop and start that goes by SSH. The
// steps are those of runs to which nothing happens.
func TestGuest(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("machines need root")
	}
	began := time.Now()
	azure := rig.Start(t, rig.Options{Driver: "docker"})
	table, done := &Table{}, newLedger()
	jobs := guestJobs()
	if !whole() {
		jobs = []job{{"few", few}}
	}
	if only := os.Getenv("JOB"); only != "" {
		jobs = slices.DeleteFunc(jobs, func(j job) bool { return j.name != only })
	}
	var wg sync.WaitGroup
	for _, j := range jobs {
		wg.Go(func() {
			if err := j.run(t.Context(), azure, table, done, t.Logf); err != nil {
				t.Errorf("%s: %v", j.name, err)
			}
		})
	}
	wg.Wait()
	st, err := azure.Status(t.Context())
	if err != nil || len(st.VMs)+len(st.Billed) > 0 {
		t.Errorf("at the end there are %v, billed %v, %v", st.VMs, st.Billed, err)
	}
	if whole() && os.Getenv("CASE")+os.Getenv("JOB") == "" {
		missing, err := done.missing(filepath.Join("testdata", "steps.txt"))
		if err != nil || len(missing) > 0 {
			t.Errorf("not all was tried: %v\n%s", err, strings.Join(missing, "\n"))
		}
	}
	t.Logf("%d jobs in %s", len(jobs), time.Since(began).Round(time.Second))
	if err := table.Print(os.Stdout); err != nil {
		t.Error(err)
	}
}

func (j job) run(ctx context.Context, azure *rig.Azure, table *Table, done *ledger, say func(string, ...any)) error {
	l, err := newLane(ctx, azure, "chaos-"+j.name, table, done, say)
	if err != nil {
		return err
	}
	defer l.arm.Close()
	l.only = os.Getenv("CASE")
	failed := j.do(ctx, l)
	found, err := l.end(ctx)
	if len(found) > 0 {
		table.Add("destroy", "at the end", found)
		err = errors.Join(err, errors.New(tell(found)))
	}
	return errors.Join(failed, err)
}

// few are trials for `make test`: one of each kind, on one machine.
func few(ctx context.Context, l *lane) error {
	if _, err := l.settle(ctx); err != nil {
		return err
	}
	second := slices.Replace(create("b"), 1, 2, "b@a")
	push := step{phase: "pushing branch main", before: "preparing the agent", use: container.opening(), nth: 2}
	asks := step{phase: "asking host a who runs", use: container.opening(), nth: 1}
	waits := step{phase: "waiting for the container", before: "waiting for the address", use: container.opening(), nth: 1}
	return l.tryAll(ctx, []trial{
		{command: "create on a host", args: second, step: push, blow: cut, files: []string{"a"}},
		{command: "stop", args: []string{"stop", "a"}, step: asks, blow: refused, given: func(ctx context.Context) error { return l.who.Must(ctx, nil, "destroy", "--force", "b") }},
		{command: "start", args: []string{"start", "a"}, step: waits, blow: killed, files: []string{"a"}},
	})
}
