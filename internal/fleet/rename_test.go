package fleet

import (
	"errors"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"mngr/internal/agent"
	"mngr/internal/records"
)

// However the requests of two renames to one name meet, at most one host has it in the end,
// and whoever was told so has it.
func TestRenamesAtOnceGiveANameOnce(t *testing.T) {
	kept := 0
	const seeds = 300
	for seed := range uint64(seeds) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 0))
			cloud := &slowCloud{hosts: map[string]*agent.Host{}, random: random, slow: []int64{1, 1, 20}[random.IntN(3)]}
			for n := range 2 {
				h := contestedHost(agent.HostStopped, agent.BillingStorage, "a")
				h.ID, h.Resource, h.CreatedAt = agent.HostID("host-"+strconv.Itoa(n)), "/"+strconv.Itoa(n), time.Now().Add(-time.Duration(random.IntN(9))*time.Hour)
				h.Tags[records.HostName] = records.HostNameValue("h" + strconv.Itoa(n))
				records.DecodeHost(&h)
				cloud.hosts[h.Resource] = &h
			}
			f := &Fleet{Now: time.Now, Spots: keptSpots{}, Instances: []Instance{{Machines: cloud}}}
			var renames sync.WaitGroup
			errs := make([]error, 2)
			for n := range 2 {
				renames.Go(func() {
					cloud.travel(cloud.slow)
					_, errs[n] = f.Rename(t.Context(), "@h"+strconv.Itoa(n), "x", false, func(string) {})
				})
			}
			renames.Wait()
			for n, err := range errs {
				name := asStored(*cloud.hosts["/"+strconv.Itoa(n)]).Tags[records.HostName]
				if err == nil && name != "mngr-x" || err != nil && (name != "mngr-h"+strconv.Itoa(n) || agent.KindOf(err) != agent.KindExists) {
					t.Errorf("seed %d: host %d is %s: %v", seed, n, name, err)
				}
				if err == nil {
					kept++
				}
			}
			if errs[0] == nil && errs[1] == nil {
				t.Errorf("seed %d: both have the name", seed)
			}
		})
	}
	if kept < seeds*9/10 { // in the others, one looked too early and the other too late
		t.Errorf("in %d of %d one got the name", kept, seeds)
	}
}

// However a rename and a create of a host with the same name meet, at most one has it in the
// end, and whoever was told so has it.
func TestARenameAndACreateAtOnceGiveANameOnce(t *testing.T) {
	renamed, created := 0, 0
	const seeds = 300
	for seed := range uint64(seeds) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 0))
			cloud := &slowCloud{hosts: map[string]*agent.Host{}, random: random, slow: []int64{1, 1, 20}[random.IntN(3)]}
			host := func(n int, name string, age time.Duration) *agent.Host {
				h := contestedHost(agent.HostStopped, agent.BillingStorage, "a")
				h.ID, h.Resource, h.CreatedAt = agent.HostID("host-"+strconv.Itoa(n)), "/"+strconv.Itoa(n), time.Now().Add(-age)
				h.Tags[records.HostName] = records.HostNameValue(name)
				records.DecodeHost(&h)
				return &h
			}
			cloud.hosts["/0"] = host(0, "old", time.Hour)
			f := &Fleet{Now: time.Now, Spots: keptSpots{}, Instances: []Instance{{Machines: cloud}}}
			inst, err := f.instance("p")
			if err != nil {
				t.Fatal(err)
			}
			var both sync.WaitGroup
			var renaming, creating error
			both.Go(func() {
				cloud.travel(cloud.slow)
				_, renaming = f.Rename(t.Context(), "@old", "x", false, func(string) {})
			})
			both.Go(func() {
				cloud.travel(cloud.slow)
				listed, _ := cloud.Names(t.Context())
				hosts := f.there(inst, listed)
				made := host(1, "x", 0)
				if namesake(hosts, *made, "x") >= 0 {
					creating = errors.New("taken")
					return
				}
				cloud.exchange(func() { cloud.hosts["/1"] = made })
				if creating = f.stays(t.Context(), inst, &Created{Host: asStored(*made)}, func(string) {}); creating != nil {
					cloud.exchange(func() { delete(cloud.hosts, "/1") })
				}
			})
			both.Wait()
			name := asStored(*cloud.hosts["/0"]).Tags[records.HostName]
			if renaming == nil && name != "mngr-x" || renaming != nil && name != "mngr-old" {
				t.Errorf("seed %d: the renamed host is %s: %v", seed, name, renaming)
			}
			if renaming == nil && creating == nil {
				t.Errorf("seed %d: both have the name", seed)
			}
			if renaming == nil {
				renamed++
			}
			if creating == nil {
				created++
			}
		})
	}
	if renamed == 0 || created == 0 || renamed+created < seeds*9/10 {
		t.Errorf("of %d the rename got the name in %d, the create in %d", seeds, renamed, created)
	}
}
