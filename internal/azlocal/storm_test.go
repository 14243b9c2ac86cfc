package azlocal

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"mngr/internal/azlocal/instance"
)

// kill ends the daemon as a power switch would, and waits until it is gone.
func (p *program) kill() {
	p.t.Helper()
	if err := syscall.Kill(p.pid(), syscall.SIGKILL); err != nil {
		p.t.Fatal(err)
	}
	await(within(p.t), p.t, "died", func() bool { return p.pid() == 0 })
}

// promise is what a client may believe of a resource: the tag that it has, "" when it does
// not exist. After an answer there is one possibility; without one there are two.
type promise struct {
	path     string
	possible []string
}

func (p *promise) sent(value string) { p.possible = append(p.possible, value) }

func (p *promise) answered(value string) { p.possible = []string{value} }

// stormer changes its own resources until the daemon is gone.
type stormer struct {
	c        *caller
	name     string
	count    int
	group    *promise
	machines []*promise
	answers  int
}

// storm works until an answer fails to come.
func (s *stormer) storm(ctx context.Context) error {
	for step := 0; ; step++ {
		var err error
		switch step % 4 {
		case 0, 2:
			err = s.putGroup(ctx)
		case 1:
			err = s.createMachine(ctx)
		case 3:
			err = s.deleteMachine(ctx)
		}
		if err != nil {
			return err
		}
		s.answers++
	}
}

func (s *stormer) putGroup(ctx context.Context) error {
	s.count++
	value := fmt.Sprint(s.count)
	s.group.sent(value)
	status, answer, err := s.c.do(ctx, "PUT", s.group.path+groupVersion, map[string]any{"location": "eastus", "tags": map[string]string{"n": value}})
	if err != nil {
		return err
	}
	if status >= 300 {
		s.c.t.Errorf("%s: %d %s", s.group.path, status, answer)
	}
	s.group.answered(value)
	return nil
}

func (s *stormer) createMachine(ctx context.Context) error {
	s.count++
	name := fmt.Sprintf("%s-%d", s.name, s.count)
	m := &promise{path: s.c.vm(name), possible: []string{""}}
	s.machines = append(s.machines, m)
	body := s.c.body(name)
	body["tags"] = map[string]string{"n": name}
	m.sent(name)
	status, answer, err := s.c.do(ctx, "PUT", m.path+computeVersion, body, "If-None-Match", "*")
	if err != nil {
		return err
	}
	if status != http.StatusCreated {
		s.c.t.Errorf("%s: %d %s", m.path, status, answer)
	}
	m.answered(name)
	return nil
}

func (s *stormer) deleteMachine(ctx context.Context) error {
	m := s.machines[rand.IntN(len(s.machines))]
	m.sent("")
	status, answer, err := s.c.do(ctx, "DELETE", m.path+computeVersion, nil)
	if err != nil {
		return err
	}
	if status != http.StatusAccepted && status != http.StatusNoContent {
		s.c.t.Errorf("%s: %d %s", m.path, status, answer)
	}
	m.answered("")
	return nil
}

// settled asks until no operation runs on a resource, and returns its tag.
func (s *stormer) settled(path string) string {
	ctx := within(s.c.t)
	for {
		status, answer, err := s.c.do(ctx, "GET", path, nil)
		var got struct {
			Tags       map[string]string
			Properties struct{ ProvisioningState string }
		}
		switch {
		case err != nil:
			s.c.t.Fatal(err)
		case status == http.StatusNotFound:
			return ""
		case status != http.StatusOK || json.Unmarshal(answer, &got) != nil:
			s.c.t.Fatalf("%s: %d %s", path, status, answer)
		}
		switch got.Properties.ProvisioningState {
		case "Succeeded":
			return got.Tags["n"]
		case "Failed":
			s.c.t.Fatalf("%s failed", path)
		}
	}
}

// check compares what was promised with what is there.
func (s *stormer) check() {
	s.c.t.Helper()
	for _, p := range append(slices.Clone(s.machines), s.group) {
		version := computeVersion
		if p == s.group {
			version = groupVersion
		}
		if got := s.settled(p.path + version); !slices.Contains(p.possible, got) {
			s.c.t.Errorf("%s is %q, which no answer and no question allows: %q", p.path, got, p.possible)
		} else {
			p.answered(got)
		}
	}
}

// TestKilledInAStorm kills the daemon again and again while clients change things, and
// wants every answer it gave to hold.
func TestKilledInAStorm(t *testing.T) {
	p := buildProgram(t)
	p.must("up", "--driver", "none")
	inst, err := instance.Load(p.dir)
	if err != nil {
		t.Fatal(err)
	}
	c := newCaller(t, inst)
	c.prepare()
	var all []*stormer
	for i := range 6 {
		s := &stormer{c: c, name: fmt.Sprintf("vm-%d", i), group: &promise{path: fmt.Sprintf("/subscriptions/%s/resourceGroups/group-%d", inst.Subscription, i)}}
		s.group.answered("")
		all = append(all, s)
	}
	const rounds = 6
	for round := range rounds {
		var storm sync.WaitGroup
		ctx, cancel := context.WithCancel(t.Context())
		for _, s := range all {
			storm.Go(func() { _ = s.storm(ctx) })
		}
		// How far they get is chance, and has to be: any moment will do for a kill.
		timer := time.NewTimer(time.Duration(100+rand.IntN(400)) * time.Millisecond)
		<-timer.C
		p.kill()
		storm.Wait()
		cancel()
		p.must("up")
		for _, s := range all {
			s.check()
		}
		if t.Failed() {
			t.Fatalf("in round %d", round)
		}
	}
	answers, machines := 0, 0
	for _, s := range all {
		answers += s.answers
		for _, m := range s.machines {
			if m.possible[0] != "" {
				machines++
			}
		}
	}
	if answers < rounds {
		t.Errorf("only %d answers in %d rounds", answers, rounds)
	}
	t.Logf("%d answers, %d machines left", answers, machines)
	c.noParts(machines)
}

// noParts wants one interface, address and disk for each machine that is left.
func (c *caller) noParts(machines int) {
	c.t.Helper()
	for _, kind := range []string{"Microsoft.Network/networkInterfaces" + networkVersion, "Microsoft.Network/publicIPAddresses" + networkVersion,
		"Microsoft.Compute/disks?api-version=2023-10-02", "Microsoft.Compute/virtualMachines" + computeVersion} {
		await(within(c.t), c.t, "as many "+kind+" as machines", func() bool {
			var p page
			if err := json.Unmarshal(c.must("GET", c.group()+"/providers/"+kind, nil), &p); err != nil {
				c.t.Fatal(err)
			}
			return len(p.Value) == machines
		})
	}
}

// TestKilledBeforeTheAnswer kills the daemon between the work and the answer, and before
// the work: what was done stays, what was not done is not there.
func TestKilledBeforeTheAnswer(t *testing.T) {
	p := buildProgram(t)
	p.must("up", "--driver", "none")
	inst, err := instance.Load(p.dir)
	if err != nil {
		t.Fatal(err)
	}
	c := newCaller(t, inst)
	for _, when := range []string{"before", "after"} {
		p.must("fault", "add", "--on", "Microsoft.Resources/subscriptions/resourceGroups/write", "--drop", when)
		path := "/subscriptions/" + inst.Subscription + "/resourceGroups/" + when + groupVersion
		if status, _, err := c.do(t.Context(), "PUT", path, map[string]any{"location": "eastus"}); err == nil {
			t.Fatalf("dropped %s the work: %d", when, status)
		}
		p.kill()
		p.must("up")
		status, _, err := c.do(t.Context(), "GET", path, nil)
		if want := map[string]int{"before": http.StatusNotFound, "after": http.StatusOK}[when]; err != nil || status != want {
			t.Errorf("dropped %s the work: %d %v, want %d", when, status, err, want)
		}
	}
}
