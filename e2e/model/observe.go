package model

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"mngr/e2e/rig"
)

// Seen is a resource group as a client of Azure sees it that has nothing of mngr.
type Seen struct {
	Prepared bool
	Hosts    []SeenHost
	Stray    []string // assignments of role at machines, for principals that are not theirs: names of birth
	Loose    []string // parts that belong to no machine, and machines without their parts
}

// SeenHost is a machine with its tags.
type SeenHost struct {
	Born, Name, ID string
	Resource       string
	Finished       bool
	Power          Power
	StoppedBy      bool
	Granted        bool
}

const group = "/SUB/resourceGroups/mngr"

// Watcher looks at a local Azure over plain HTTPS.
type Watcher struct {
	Azure  *rig.Azure
	Client *rig.Client
}

type resource struct {
	ID         string            `json:"id"`
	Name       string            `json:"name"`
	Tags       map[string]string `json:"tags"`
	ManagedBy  string            `json:"managedBy"`
	Identity   struct{ PrincipalID string }
	Properties struct {
		ProvisioningState string
		InstanceView      struct{ Statuses []struct{ Code string } }
		VirtualMachine    struct{ ID string }
		IPConfiguration   struct{ ID string }
		Scope             string
		PrincipalID       string
		RoleDefinitionID  string
	} `json:"properties"`
}

func (v *Watcher) get(ctx context.Context, path string) (all []resource, found bool, err error) {
	status, answer, err := v.Client.Do(ctx, http.MethodGet, path, nil)
	if err != nil || status == http.StatusNotFound {
		return nil, false, err
	}
	if status != http.StatusOK {
		return nil, false, fmt.Errorf("GET %s: %d %s", path, status, answer)
	}
	var page struct{ Value []resource }
	if err := json.Unmarshal(answer, &page); err != nil {
		return nil, false, fmt.Errorf("GET %s: %w", path, err)
	}
	return page.Value, true, nil
}

// Look waits until nothing is under way in the group and returns what is there.
func (v *Watcher) Look(ctx context.Context) (Seen, error) {
	for {
		seen, settled, err := v.look(ctx)
		if err != nil || settled {
			return seen, err
		}
		select {
		case <-ctx.Done():
			return seen, fmt.Errorf("something is still under way: %+v", seen)
		case <-time.After(20 * time.Millisecond): // as often as the local Azure moves on
		}
	}
}

func (v *Watcher) look(ctx context.Context) (s Seen, settled bool, err error) {
	lists := map[string][]resource{}
	for _, l := range []struct{ name, path string }{
		{"states", "/SUB/providers/Microsoft.Compute/virtualMachines?statusOnly=true&api-version=2024-07-01"},
		{"machines", group + "/providers/Microsoft.Compute/virtualMachines?api-version=2024-07-01"},
		{"nics", group + "/providers/Microsoft.Network/networkInterfaces?api-version=2024-05-01"},
		{"ips", group + "/providers/Microsoft.Network/publicIPAddresses?api-version=2024-05-01"},
		{"disks", group + "/providers/Microsoft.Compute/disks?api-version=2024-03-02"},
		{"nets", group + "/providers/Microsoft.Network/virtualNetworks?api-version=2024-05-01"},
		{"nsgs", group + "/providers/Microsoft.Network/networkSecurityGroups?api-version=2024-05-01"},
		{"assignments", "/SUB/providers/Microsoft.Authorization/roleAssignments?api-version=2022-04-01"},
	} {
		if lists[l.name], _, err = v.get(ctx, l.path); err != nil {
			return s, false, err
		}
	}
	s.Prepared = len(lists["nets"]) > 0
	settled = len(lists["nets"]) == len(lists["nsgs"])
	states := map[string]resource{}
	for _, m := range lists["states"] {
		states[strings.ToLower(m.ID)] = m
	}
	principals := map[string]string{}
	for _, m := range lists["machines"] {
		h := seenHost(m, states[strings.ToLower(m.ID)])
		settled = settled && h.Power != ""
		principals[h.Born] = m.Identity.PrincipalID
		s.Hosts = append(s.Hosts, h)
	}
	slices.SortFunc(s.Hosts, func(a, b SeenHost) int { return cmp.Compare(a.Born, b.Born) })
	for _, a := range lists["assignments"] {
		_, machine, on := strings.Cut(strings.ToLower(a.Properties.Scope), "/virtualmachines/")
		if !on {
			continue
		}
		n := slices.IndexFunc(s.Hosts, func(h SeenHost) bool { return h.Born == born(machine) })
		if n >= 0 && principals[s.Hosts[n].Born] == a.Properties.PrincipalID {
			s.Hosts[n].Granted = true
		} else {
			s.Stray = append(s.Stray, born(machine))
		}
	}
	s.Loose = loose(s.Hosts, lists)
	return s, settled && (len(s.Loose) == 0 || !young(ctx)), nil
}

// young tells whether there is time left to see parts go that go by themselves.
func young(ctx context.Context) bool {
	end, bounded := ctx.Deadline()
	return bounded && time.Until(end) > lookLimit-partsLimit
}

// lookLimit bounds a look; partsLimit is how long parts may outlive their machine in it.
const (
	lookLimit  = 30 * time.Second
	partsLimit = 5 * time.Second
)

// born is the name that a machine's host had at birth: mngr-NAME-<8 hex>.
func born(machine string) string {
	name := strings.TrimPrefix(strings.ToLower(machine), "mngr-")
	return name[:max(0, strings.LastIndex(name, "-"))]
}

func seenHost(m, state resource) SeenHost {
	h := SeenHost{Born: born(m.Name), ID: m.Tags["mngr-host-id"], Resource: strings.ToLower(m.ID),
		Name:      strings.TrimPrefix(m.Tags["mngr-host-name"], "mngr-"),
		Finished:  strings.Contains(m.Tags["mngr-host-keys"], "container="),
		StoppedBy: m.Tags["mngr-stopped-by"] != ""}
	power := ""
	for _, s := range state.Properties.InstanceView.Statuses {
		if is, ok := strings.CutPrefix(s.Code, "PowerState/"); ok {
			power = is
		}
	}
	switch {
	case m.Properties.ProvisioningState == "Succeeded" || m.Properties.ProvisioningState == "Failed" && power != "":
		if power == "running" || power == "deallocated" {
			h.Power = Power(power)
		}
	case m.Properties.ProvisioningState == "Failed":
		h.Power = NeverRan
	}
	return h
}

// loose names parts that are nobody's, and machines that lack one.
func loose(hosts []SeenHost, lists map[string][]resource) []string {
	var out []string
	for _, kind := range []string{"nics", "ips", "disks"} {
		count := map[string]int{}
		for _, r := range lists[kind] {
			owner := cmp.Or(r.Properties.VirtualMachine.ID, r.ManagedBy)
			if kind == "ips" {
				owner = r.Tags["mngr-host-id"]
			}
			count[strings.ToLower(owner)]++
			known := slices.ContainsFunc(hosts, func(h SeenHost) bool {
				return strings.EqualFold(owner, h.Resource) || kind == "ips" && owner == h.ID
			})
			if !known {
				out = append(out, kind+" "+r.Name)
			}
		}
		for _, h := range hosts {
			if count[h.Resource]+count[h.ID] != 1 && h.Power != NeverRan {
				out = append(out, fmt.Sprintf("%d %s of machine %s", count[h.Resource]+count[h.ID], kind, h.Born))
			}
		}
	}
	return out
}
