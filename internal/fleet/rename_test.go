package fleet

import (
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
