package azure

import (
	"slices"
	"strings"
	"testing"

	"mngr/internal/agent"
)

func TestCleanup(t *testing.T) {
	const (
		ourGroup   = `{"name":"mngr","tags":{"managed-by":"mngr"}}`
		theirGroup = `{"name":"mngr","tags":{"owner":"bob"}}`
		ourNSG     = `{"name":"mngr-nsg","type":"Microsoft.Network/networkSecurityGroups","tags":{"managed-by":"mngr"}}`
		ourVNet    = `{"name":"mngr-vnet","type":"Microsoft.Network/virtualNetworks","tags":{"managed-by":"mngr"}}`
		ourIP      = `{"name":"left-ip","tags":{"managed-by":"mngr"}}`
		theirIP    = `{"name":"web","tags":{}}`
		aVault     = `{"name":"v","type":"Microsoft.KeyVault/vaults","tags":{"managed-by":"mngr"}}`
	)
	ourVM, theirVM := `{"name":"vm1","tags":{"managed-by":"mngr"}}`, `{"name":"vm2","tags":{}}`
	ourDisk := `{"name":"vm1-os","tags":{"managed-by":"mngr"}}`
	const left = `"tags":{"managed-by":"mngr","mngr-host-id":"host-a"}`
	const nics, ips = networks_ + "networkInterfaces/", networks_ + "publicIPAddresses/"
	leftDisk := `{"name":"gone-os",` + left + `}`
	usedDisk := `{"name":"gone-os",` + left + `,"managedBy":"/x/virtualMachines/theirs"}`
	leftNIC := `{"name":"gone-nic","id":"` + nics + `gone-nic",` + left + `,"properties":{}}`
	usedNIC := `{"name":"gone-nic","id":"` + nics + `gone-nic",` + left + `,"properties":{"virtualMachine":{"id":"/x/virtualMachines/theirs"}}}`
	leftIP := `{"name":"gone-ip",` + left + `,"properties":{}}`
	heldIP := `{"name":"gone-ip",` + left + `,"properties":{"ipConfiguration":{"id":"` + nics + `Gone-nic/ipConfigurations/a"}}}`
	usedIP := `{"name":"gone-ip",` + left + `,"properties":{"ipConfiguration":{"id":"/x/loadBalancers/b"}}}`
	deletes := func(names ...string) []string { return names }
	user := func(scope string) string {
		return `{"name":"an-assignment","id":"` + scope + `/providers/Microsoft.Authorization/roleAssignments/an-assignment","properties":{"scope":"` + scope + `","roleDefinitionId":"` + roleRoute() + `"}}`
	}
	for name, c := range map[string]struct {
		group     string // "" absent
		holds     []string
		vms       []string
		disks     []string
		nics      []string
		ips       []string
		users     string // role assignments
		others    string // other groups
		elsewhere string // resources of ours in other groups
		dry       bool
		kind      agent.Kind
		names     string   // in the refusal
		deleted   []string // last path segments, in order
		action    string   // one of those that are shown; "" for any
	}{
		"ours and only ours":    {group: ourGroup, holds: []string{ourVNet, ourNSG}, deleted: deletes("mngr-vnet", "mngr", roleGUID(testSub))},
		"only looking":          {group: ourGroup, holds: []string{ourVNet, ourNSG}, dry: true},
		"nothing at all":        {deleted: deletes(roleGUID(testSub))},
		"a machine of ours":     {group: ourGroup, vms: []string{ourVM}, disks: []string{ourDisk}, kind: agent.KindRefused, names: "machine vm1, disk vm1-os"},
		"a disk of ours":        {group: ourGroup, disks: []string{ourDisk}, kind: agent.KindRefused, names: "disk vm1-os"},
		"a foreign machine":     {group: ourGroup, vms: []string{theirVM}, kind: agent.KindRefused, names: "machine vm2"},
		"a foreign address":     {group: ourGroup, holds: []string{ourVNet}, ips: []string{theirIP}, kind: agent.KindRefused, names: "public address web"},
		"what we never make":    {group: ourGroup, holds: []string{aVault}, kind: agent.KindRefused, names: "vaults v"},
		"a group of theirs":     {group: theirGroup, holds: []string{ourNSG, ourVNet}, ips: []string{theirIP, ourIP}, vms: []string{theirVM}, deleted: deletes("left-ip", "mngr-vnet", "mngr-nsg", roleGUID(testSub))},
		"our machine in theirs": {group: theirGroup, vms: []string{ourVM, theirVM}, kind: agent.KindRefused, names: "machine vm1"},
		"what a host left": {group: ourGroup, disks: []string{leftDisk}, nics: []string{leftNIC}, ips: []string{heldIP}, deleted: deletes("mngr", roleGUID(testSub)),
			action: "delete resource group mngr with what destroyed hosts left: disk gone-os, network interface gone-nic, public address gone-ip"},
		"looking at what a host left": {group: ourGroup, dry: true, disks: []string{leftDisk},
			action: "delete resource group mngr with what destroyed hosts left: disk gone-os"},
		"what a host left in theirs": {group: theirGroup, disks: []string{leftDisk}, nics: []string{leftNIC}, ips: []string{heldIP}, vms: []string{theirVM},
			deleted: deletes("gone-os", "gone-nic", "gone-ip", roleGUID(testSub)), action: "delete disk gone-os"},
		"a disk in use":                               {group: ourGroup, disks: []string{usedDisk}, kind: agent.KindRefused, names: "disk gone-os"},
		"an interface in use":                         {group: ourGroup, nics: []string{usedNIC}, ips: []string{heldIP}, kind: agent.KindRefused, names: "network interface gone-nic, public address gone-ip"},
		"an address in use":                           {group: theirGroup, ips: []string{usedIP}, kind: agent.KindRefused, names: "public address gone-ip"},
		"a machine and a left disk":                   {group: ourGroup, vms: []string{ourVM}, disks: []string{leftDisk}, ips: []string{leftIP}, kind: agent.KindRefused, names: "machine vm1"},
		"the role is in use":                          {group: ourGroup, users: `{"properties":{"roleDefinitionId":"` + strings.ToUpper(roleRoute()) + `"}}`, deleted: deletes("mngr")},
		"another prepared group":                      {group: ourGroup, others: `{"name":"mngr-2","tags":{"managed-by":"mngr"}}`, deleted: deletes("mngr")},
		"a network in their group":                    {group: ourGroup, elsewhere: `{"id":"/subscriptions/s/resourceGroups/theirs/providers/Microsoft.Network/virtualNetworks/v","tags":{"managed-by":"mngr"}}`, deleted: deletes("mngr")},
		"an assignment that outlived its machine":     {group: ourGroup, users: user(testVM), deleted: deletes("mngr", "an-assignment", roleGUID(testSub))},
		"an assignment of a machine elsewhere":        {group: ourGroup, users: user("/subscriptions/" + testSub + "/resourceGroups/x/providers/Microsoft.Compute/virtualMachines/y"), deleted: deletes("mngr")},
		"a machine of theirs that uses the role":      {group: theirGroup, holds: []string{ourNSG}, vms: []string{theirVM}, users: user("/x/vm2"), deleted: deletes("mngr-nsg")},
		"an assignment of a living machine of theirs": {group: theirGroup, holds: []string{ourNSG}, vms: []string{`{"name":"vm2","id":"` + vmList + `/vm2","tags":{}}`}, users: user(vmList + "/VM2"), deleted: deletes("mngr-nsg")},
		"many machines":                               {group: ourGroup, vms: slices.Repeat([]string{ourVM}, 12), kind: agent.KindRefused, names: "machine vm1 and 2 more"},
	} {
		t.Run(name, func(t *testing.T) {
			get := notThere
			if c.group != "" {
				get = says(200, c.group)
			}
			list := func(docs []string) []scripted { return []scripted{says(200, values(docs...))} }
			one := func(doc string) []scripted {
				return []scripted{says(200, values(slices.DeleteFunc([]string{doc}, func(s string) bool { return s == "" })...))}
			}
			s := newScript(t, map[string][]scripted{
				"GET " + group:                    {get},
				"GET " + testGroup + "/resources": list(append(c.holds, slices.Concat(typed(typeVM, c.vms), typed(typeDisk, c.disks), typed(typeNIC, c.nics), typed(typeIP, c.ips))...)),
				"GET " + vmList:                   list(c.vms),
				"GET " + testGroup + "/providers/Microsoft.Compute/disks": list(c.disks),
				"GET " + networks_ + "networkInterfaces":                  list(c.nics),
				"GET " + networks_ + "publicIPAddresses":                  list(c.ips),
				"DELETE " + nics + "gone-nic":                             {says(204, "")}, "DELETE " + ips + "gone-ip": {says(204, "")},
				"DELETE " + testGroup + "/providers/Microsoft.Compute/disks/gone-os": {says(204, "")},
				"GET " + roleRoute(): {says(200, `{}`)},
				"GET /subscriptions/" + testSub + "/resourcegroups":                                     one(c.others),
				"GET /subscriptions/" + testSub + "/resources":                                          one(c.elsewhere),
				"DELETE " + testVM + "/providers/Microsoft.Authorization/roleAssignments/an-assignment": {says(200, `{}`)},
				"GET /subscriptions/" + testSub + "/providers/Microsoft.Authorization/roleAssignments":  one(c.users),
				"DELETE " + group:         {{status: 202, header: map[string]string{"Location": "{host}/operationresults/x", "Retry-After": "15"}}},
				"GET /operationresults/x": {{status: 202}, says(200, "")},
				"DELETE " + vnet:          {says(204, "")}, "DELETE " + nsg: {says(204, "")},
				"DELETE " + networks_ + "publicIPAddresses/left-ip": {says(204, "")},
				"DELETE " + roleRoute():                             {says(200, `{}`)},
			})
			got, err := s.provider().Cleanup(t.Context(), c.dry, nil)
			if (err == nil) != (c.kind == "") || err != nil && (agent.KindOf(err) != c.kind || !strings.Contains(err.Error(), c.names)) {
				t.Errorf("got %v, want %q naming %q", err, c.kind, c.names)
			}
			var deleted []string
			for _, r := range s.seen("DELETE *") {
				deleted = append(deleted, r.route[strings.LastIndex(r.route, "/")+1:])
			}
			if !slices.Equal(deleted, c.deleted) {
				t.Errorf("deleted %v, want %v", deleted, c.deleted)
			}
			actions := len(c.deleted)
			if c.group == ourGroup && slices.Contains(c.deleted, "mngr-vnet") {
				actions-- // it goes first, so that nobody makes a machine meanwhile, and is part of the group
			}
			if err == nil && !c.dry && len(got.Actions) != actions || c.dry && len(got.Actions) != 2 {
				t.Errorf("actions %q", got.Actions)
			}
			if c.action != "" && !slices.Contains(got.Actions, c.action) {
				t.Errorf("actions %q lack %q", got.Actions, c.action)
			}
		})
	}
}

// typed makes entries of the generic list.
func typed(kind string, docs []string) []string {
	var out []string
	for _, d := range docs {
		out = append(out, strings.Replace(d, "{", `{"type":"`+kind+`",`, 1))
	}
	return out
}

// The refusal says how to get on: by the hosts' names where they can be pasted.
func TestCleanupNamesTheHosts(t *testing.T) {
	for tags, want := range map[string]string{
		`"mngr-host-name":"mngr-my-agent"`:     "mngr destroy @my-agent # then again: mngr azure cleanup --provider west",
		`"mngr-host-name":"mngr-$(reboot)"`:    "mngr list # shows their agents; mngr destroy each; then again: mngr azure cleanup --provider west",
		`"mngr-host-name":"mngr-a.azure-east"`: "mngr list # shows their agents; mngr destroy each; then again: mngr azure cleanup --provider west",
	} {
		s := newScript(t, with(nothingLeft(), map[string][]scripted{
			"GET " + group:                    {says(200, `{"name":"mngr","tags":{"managed-by":"mngr"}}`)},
			"GET " + vmList:                   {says(200, values(`{"name":"vm1","tags":{"managed-by":"mngr",`+tags+`}}`))},
			"GET " + testGroup + "/resources": {says(200, emptyList)},
		}))
		_, err := s.provider(func(s *Settings) { s.Name = "west" }).Cleanup(t.Context(), false, nil)
		if agent.KindOf(err) != agent.KindRefused || agent.HintOf(err) != want {
			t.Errorf("got %v (%s), want %q", err, agent.HintOf(err), want)
		}
	}
}

// Between the two looks somebody else may be at work in the group; what is gone by then is said.
func TestCleanupSaysWhatItHasDeletedBeforeItRefuses(t *testing.T) {
	const (
		ourGroup = `{"name":"mngr","tags":{"managed-by":"mngr"}}`
		ourVNet  = `{"name":"mngr-vnet","type":"Microsoft.Network/virtualNetworks","tags":{"managed-by":"mngr"}}`
		second   = `{"name":"mngr-vnet-west","type":"Microsoft.Network/virtualNetworks","tags":{"managed-by":"mngr"}}`
		aVault   = `{"name":"v","type":"Microsoft.KeyVault/vaults","tags":{}}`
		prepared = "mngr azure prepare # makes network mngr-vnet again"
	)
	inUse := refuses(400, "InUseSubnetCannotBeDeleted", "in use")
	for name, c := range map[string]struct {
		holds        []scripted
		first, other scripted // answers to the deletions of the networks
		kind         agent.Kind
		cause, hint  string // parts
	}{
		"something foreign came": {[]scripted{says(200, values(ourVNet)), says(200, values(aVault))}, says(204, ""), says(204, ""), agent.KindRefused,
			"1 resources that mngr did not make: microsoft.keyvault/vaults v; deleted already: network mngr-vnet", prepared},
		"a machine in the second network": {[]scripted{says(200, values(ourVNet, second))}, says(204, ""), inUse, agent.KindConflict,
			"somebody makes a machine in network mngr-vnet-west; deleted already: network mngr-vnet", prepared},
		"a machine in the only network": {[]scripted{says(200, values(ourVNet))}, inUse, says(204, ""), agent.KindConflict, "nothing was deleted", "mngr list # then again: mngr azure cleanup"},
		"a lock on the group":           {[]scripted{says(200, values(ourVNet))}, says(204, ""), says(204, ""), agent.KindDenied, "(ScopeLocked); deleted already: network mngr-vnet", prepared},
	} {
		s := newScript(t, with(nothingLeft(), map[string][]scripted{
			"DELETE " + group:                 {refuses(409, "ScopeLocked", "locked")},
			"GET " + group:                    {says(200, ourGroup)},
			"GET " + testGroup + "/resources": c.holds,
			"GET " + vmList:                   {says(200, emptyList)},
			"DELETE " + vnet:                  {c.first}, "DELETE " + vnet + "-west": {c.other},
		}))
		_, err := s.provider().Cleanup(t.Context(), false, nil)
		if err == nil || agent.KindOf(err) != c.kind || !strings.Contains(err.Error(), c.cause) || !strings.Contains(agent.HintOf(err), c.hint) {
			t.Errorf("%s: %v, hint %q", name, err, agent.HintOf(err))
		}
	}
}
