package cli

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mngr/internal/agent"
	"mngr/internal/fleet"
	"mngr/internal/output"
)

var updateCost = flag.Bool("update-cost", false, "rewrite testdata/cost.*")

// TestCostGolden keeps what people and programs read of hosts in every state of knowledge.
func TestCostGolden(t *testing.T) {
	now := time.Date(2026, 7, 8, 9, 10, 11, 0, time.UTC)
	f := &fleet.Fleet{Guests: guests{}, Now: func() time.Time { return now }}
	day := now.Add(-24 * time.Hour)
	host := func(name string, change func(*agent.Host)) agent.Host {
		h := agent.Host{
			ID: agent.HostID("host-" + name), Name: name, Provider: "azure", State: agent.HostRunning, Billing: agent.BillingCompute, Region: "westus",
			Size: "Standard_B2s", CreatedAt: day, Resource: "/vm/" + name, Run: agent.Run{Known: true, Counted: time.Hour, Since: now.Add(-time.Hour)},
		}
		change(&h)
		return h
	}
	retail := agent.Rate{Compute: new(0.05), Disk: new(0.004), Address: new(0.005), Source: agent.PriceRetail, Date: "2026-07-07"}
	l := fleet.Listing{Costs: fleet.Costs{}}
	add := func(h agent.Host, r agent.Rate) {
		l.Hosts = append(l.Hosts, h)
		c := fleet.Cost{Rate: r, Now: r.Now(h.Billing), SoFar: r.SoFar(h, now)}
		c.Ran, c.RanYet = h.Ran(now)
		l.Costs[h.Resource] = c
	}
	add(host("runs", func(*agent.Host) {}), retail)
	add(host("stopped", func(h *agent.Host) {
		h.State, h.Billing, h.ChangedAt = agent.HostStopped, agent.BillingStorage, now.Add(-30*time.Minute)
	}), retail)
	add(host("off", func(h *agent.Host) { h.State = agent.HostStoppedBilling }), retail)
	add(host("older", func(h *agent.Host) { h.Run = agent.Run{} }), retail)
	add(host("offline", func(h *agent.Host) { h.Spot = true }), agent.Rate{Address: new(0.005), Source: agent.PriceTable, Date: "2025-08"})
	add(host("nowhere", func(h *agent.Host) { h.SelfStop, h.SelfStopWhy = new(false), "no identity" }), agent.Rate{})
	add(host("half", func(h *agent.Host) {
		h.State, h.Failure, h.HostKeys.VM = agent.HostFailed, "its creation was never finished", "ssh-ed25519 AAAA"
	}), retail)
	add(host("gone", func(h *agent.Host) {
		h.State, h.Billing, h.Run, h.Spot = agent.HostEvicted, agent.BillingNone, agent.Run{}, true
	}), retail)
	left := newLeftParts([]fleet.Garbage{
		{Provider: "azure", Leftover: agent.Leftover{Kind: agent.LeftoverAddress, Name: "mngr-x-ip", Resource: "/ip", Monthly: agent.USD{Known: 3.65}}},
		{Provider: "azure", Leftover: agent.Leftover{Kind: agent.LeftoverDisk, Name: "mngr-x-os", Resource: "/disk", Monthly: agent.USD{Unknown: 1}, Kept: "it is too young"}},
	}, nil)
	for _, format := range []string{"human", "json", "jsonl"} {
		var out, errs bytes.Buffer
		app := newApp(output.Streams{In: strings.NewReader(""), Out: &out, Err: &errs})
		app.global.format = format
		s, err := newSelection(listFlags{}, "human")
		if err != nil {
			t.Fatal(err)
		}
		if err := app.printCosts(f, l, left, &s); err != nil {
			t.Fatal(err)
		}
		got := out.String() + "-- standard error --\n" + errs.String()
		if format == "json" {
			var indented bytes.Buffer
			if err := json.Indent(&indented, out.Bytes(), "", " "); err != nil {
				t.Fatal(err)
			}
			got = indented.String()
		}
		path := filepath.Join("testdata", "cost."+format)
		if *updateCost {
			if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil || got != string(want) {
			t.Errorf("%s is not as in %s (%v):\n%s", format, path, err, got)
		}
	}
}
