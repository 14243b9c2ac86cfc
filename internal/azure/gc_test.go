package azure

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mngr/internal/agent"
)

const gone = "mngr-gone-0a0b0c0d"

func hostTagsAt(age time.Duration) string {
	return `{"managed-by":"mngr","mngr-host-id":"` + string(testHost) + `","mngr-created-at":"` + time.Now().Add(-age).UTC().Format(time.RFC3339Nano) + `"}`
}

func netItem(name, kind, tags, properties string) string {
	return `{"name":"` + name + `","id":"` + networks + kind + `/` + name + `","tags":` + tags + `,"properties":{` + properties + `}}`
}

// empties are the lists of a group that holds nothing.
func empties() map[string][]scripted {
	return with(nothingLeft(), map[string][]scripted{
		"GET " + vmList: {says(200, emptyList)}, "GET " + testGroup + assignmentList: {says(200, emptyList)},
	})
}

// found returns what Leftovers says, by name: "" for what may go, else why it is kept.
func found(t *testing.T, routes map[string][]scripted) map[string]string {
	t.Helper()
	list, err := newScript(t, with(empties(), routes)).provider().Leftovers(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, l := range list {
		kept, _, _ := strings.Cut(l.Kept, ":")
		out[l.Name] = kept
	}
	return out
}

func TestLeftoversOfTheNetwork(t *testing.T) {
	old := hostTagsAt(time.Hour)
	original := strings.Replace(old, `"managed-by":"mngr"`, `"mngr-provider":"azure"`, 1)
	vm := strings.Replace(machine("Succeeded", ""), testVMName, "mngr-busy-0a0b0c0d", -1)
	for _, c := range []struct {
		name, tags, properties string
		want                   string
		left                   bool
	}{
		{gone + "-nic", old, ``, "", true},
		{gone + "-nic-1f2e", old, ``, "", true},
		{strings.ToUpper(gone) + "-NIC", old, ``, "", true},
		{gone + "-nic", original, ``, "", true},
		{gone + "-nic", hostTagsAt(241 * time.Second), ``, "", true},
		{gone + "-nic", hostTagsAt(200 * time.Second), ``, "it is too young", true},
		{gone + "-nic", hostTagsAt(-time.Hour), ``, "it is too young", true},
		{gone + "-nic", `{"managed-by":"mngr","mngr-host-id":"` + string(testHost) + `"}`, ``, "its age is not known", true},
		{"mngr-busy-0a0b0c0d-nic", old, ``, "", true},
		{gone + "-nic", old, `"virtualMachine":{"id":"/x"}`, "", false},
		{vmName("a") + "-nic", strings.Replace(old, "{", `{"mngr-host-name":"mngr-a",`, 1), ``, "", true},
		{vmName("b") + "-nic", strings.Replace(old, "{", `{"mngr-host-name":"mngr-a",`, 1), ``, "its name and its tags are of different hosts", true},
		{"mngr-b-" + strings.TrimPrefix(string(testHost), "host-") + "-nic", strings.Replace(old, "{", `{"mngr-host-name":"mngr-b",`, 1), ``, "", true},
		{gone + "-nic", `{"managed-by":"mngr"}`, ``, "", false},
		{gone + "-nic", `{"mngr-host-id":"` + string(testHost) + `"}`, ``, "", false},
		{"gone-nic", old, ``, "", false},
		{gone, old, ``, "", false},
		{gone + "-nicer", old, ``, "", false},
	} {
		got := found(t, map[string][]scripted{
			"GET " + networks + "networkInterfaces": {says(200, values(netItem(c.name, "networkInterfaces", c.tags, c.properties)))},
			"GET " + vmList:                         {says(200, values(vm))},
		})
		want := map[string]string{}
		if c.left {
			want[c.name] = c.want
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s %s %s: %s", c.name, c.tags, c.properties, diff)
		}
	}
}

// An address is as loose as the interface that holds it.
func TestLeftoverAddresses(t *testing.T) {
	old, young := hostTagsAt(time.Hour), hostTagsAt(0)
	on := func(nic string) string {
		return `"ipConfiguration":{"id":"` + networks + `networkInterfaces/` + nic + `/ipConfigurations/a"}`
	}
	got := found(t, map[string][]scripted{
		"GET " + networks + "networkInterfaces": {says(200, values(netItem(gone+"-nic", "networkInterfaces", old, ""),
			netItem("mngr-young-00000000-nic", "networkInterfaces", young, ""), netItem("foreign", "networkInterfaces", "{}", "")))},
		"GET " + networks + "publicIPAddresses": {says(200, values(netItem(gone+"-ip", "publicIPAddresses", old, on(gone+"-nic")),
			netItem("mngr-a-00000000-ip", "publicIPAddresses", old, ""), netItem("mngr-b-00000000-ip", "publicIPAddresses", old, on("mngr-young-00000000-nic")),
			netItem("mngr-c-00000000-ip", "publicIPAddresses", old, on("foreign"))))},
	})
	want := map[string]string{gone + "-nic": "", gone + "-ip": "", "mngr-a-00000000-ip": "", "mngr-young-00000000-nic": "it is too young"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestLeftoverDisks(t *testing.T) {
	old := hostTagsAt(time.Hour)
	disk := func(name, tags, more, state string, age time.Duration) string {
		return `{"name":"` + name + `","id":"/d/` + name + `","tags":` + tags + more + `,"sku":{"name":"StandardSSD_LRS"},"properties":{"diskState":"` + state +
			`","diskSizeGB":30,"timeCreated":"` + time.Now().Add(-age).UTC().Format(time.RFC3339Nano) + `"}}`
	}
	routes := map[string][]scripted{"GET " + testGroup + "/providers/Microsoft.Compute/disks": {says(200, values(
		disk(gone+"-os", old, "", "Unattached", time.Hour),
		disk("mngr-a-00000000-os", old, `,"managedBy":"/vm"`, "Reserved", time.Hour), // of a deallocated machine
		disk("mngr-b-00000000-os", old, "", "ActiveSAS", time.Hour),
		disk("mngr-g-00000000-os", old, `,"managedBy":"/vm"`, "Unattached", time.Hour), // its state lags behind
		disk("mngr-c-00000000-os", old, "", "Unattached", time.Minute),                 // its tags are older than itself
		disk("mngr-d-00000000-os-1", old, "", "Unattached", time.Hour),
		disk("mngr-e-00000000-data", old, "", "Unattached", time.Hour),
		disk("mngr-f-00000000-os", "{}", "", "Unattached", time.Hour)))}}
	if diff := cmp.Diff(map[string]string{gone + "-os": "", "mngr-c-00000000-os": "it is too young"}, found(t, routes)); diff != "" {
		t.Error(diff)
	}
}

// The disk that was swapped for another one while its machine stays may hold the work of
// agents; it goes with its machine, not before.
func TestSwappedDiskIsKept(t *testing.T) {
	routes := map[string][]scripted{
		"GET " + testGroup + "/providers/Microsoft.Compute/disks": {says(200, values(`{"name":"`+testVMName+`-os","id":"/d/x","tags":`+hostTagsAt(time.Hour)+
			`,"properties":{"diskState":"Unattached","timeCreated":"`+time.Now().Add(-time.Hour).UTC().Format(time.RFC3339Nano)+`"}}`))},
		"GET " + vmList: {says(200, values(machine("Succeeded", "")))},
	}
	want := map[string]string{testVMName + "-os": "machine " + testVMName + " is still there, and agents' work may be on the disk"}
	if diff := cmp.Diff(want, found(t, routes)); diff != "" {
		t.Error(diff)
	}
	delete(routes, "GET "+vmList)
	if diff := cmp.Diff(map[string]string{testVMName + "-os": ""}, found(t, routes)); diff != "" {
		t.Errorf("without the machine: %s", diff)
	}
}

// Nothing of a machine on which an operation runs is touched: Azure may just be at it. Its
// name may come back in another case than its parts'.
func TestLeftoversOfAMachineInTheMaking(t *testing.T) {
	for state, want := range map[string]string{"Creating": "an operation on machine " + testVMName + " is under way", "Deleting": "an operation on machine " + testVMName + " is under way", "Failed": ""} {
		got := found(t, map[string][]scripted{
			"GET " + networks + "networkInterfaces": {says(200, values(netItem(testVMName+"-nic", "networkInterfaces", hostTagsAt(time.Hour), "")))},
			"GET " + vmList:                         {says(200, values(strings.Replace(machine(state, ""), testVMName, strings.ToUpper(testVMName), 1)))},
		})
		if diff := cmp.Diff(map[string]string{testVMName + "-nic": want}, got); diff != "" {
			t.Errorf("%s: %s", state, diff)
		}
	}
}

func TestLeftoverAssignments(t *testing.T) {
	role := "/subscriptions/" + testSub + "/providers/Microsoft.Authorization/roleDefinitions/" + roleGUID(testSub)
	grant := func(name, role, scope, principal string, age time.Duration) string {
		return `{"name":"` + name + `","id":"` + scope + assignmentList + `/` + name + `","properties":{"roleDefinitionId":"` + role + `","scope":"` + scope +
			`","principalId":"` + principal + `","createdOn":"` + time.Now().Add(-age).UTC().Format(time.RFC3339Nano) + `"}}`
	}
	const identity = "aaaaaaaa-0000-0000-0000-000000000000"
	got := found(t, map[string][]scripted{
		"GET " + vmList: {says(200, values(machine("Succeeded", "")))},
		"GET " + testGroup + assignmentList: {says(200, values(
			grant("dead", role, vmList+"/"+gone, "p", time.Hour),
			grant("former", role, testVM, "another", time.Hour),
			grant("young", role, vmList+"/"+gone, "p", time.Minute),
			grant("alive", role, testVM, strings.ToUpper(identity), time.Hour),
			grant("foreign", "/x/roleDefinitions/y", vmList+"/"+gone, "p", time.Hour),
			grant("wide", role, testGroup, "p", time.Hour),
			grant("elsewhere", role, strings.Replace(vmList, "/mngr/", "/other/", 1)+"/"+gone, "p", time.Hour)))},
	})
	if diff := cmp.Diff(map[string]string{"dead": "", "former": "", "young": "it is too young"}, got); diff != "" {
		t.Error(diff)
	}
	// A machine that shows no identity may be getting one: nothing tells whose the assignment is.
	shown := `"identity":{"type":"SystemAssigned","principalId":"` + identity + `","tenantId":"t"},`
	for _, shows := range []string{"", `"identity":{"type":"SystemAssigned"},`} {
		got := found(t, map[string][]scripted{
			"GET " + vmList:                     {says(200, values(strings.Replace(machine("Succeeded", ""), shown, shows, 1)))},
			"GET " + testGroup + assignmentList: {says(200, values(grant("kept", role, testVM, "another", time.Hour), grant("dead", role, vmList+"/"+gone, "p", time.Hour)))},
		})
		if diff := cmp.Diff(map[string]string{"dead": ""}, got); diff != "" {
			t.Errorf("identity %q: %s", shows, diff)
		}
	}
}

// A list that cannot be read is no empty list; where assignments alone cannot be, that is said.
func TestLeftoversUnseen(t *testing.T) {
	forbidden := refuses(403, "AuthorizationFailed", "no")
	for _, route := range []string{vmList, networks + "networkInterfaces", networks + "publicIPAddresses", testGroup + "/providers/Microsoft.Compute/disks"} {
		list, err := newScript(t, with(empties(), map[string][]scripted{"GET " + route: {forbidden}})).provider().Leftovers(t.Context())
		if agent.KindOf(err) != agent.KindDenied || list != nil {
			t.Errorf("%s: %v, %v", route, list, err)
		}
	}
	got := found(t, map[string][]scripted{"GET " + testGroup + assignmentList: {forbidden}})
	if diff := cmp.Diff(map[string]string{"any": "the login may not list role assignments"}, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]string{}, found(t, nil)); diff != "" {
		t.Error(diff)
	}
	// Not forbidden, and not answered either: nothing is known.
	list, err := newScript(t, with(empties(), map[string][]scripted{"GET " + testGroup + assignmentList: {refuses(400, "BadRequest", "no")}})).provider().Leftovers(t.Context())
	if err == nil || list != nil {
		t.Errorf("assignments that cannot be listed: %v, %v", list, err)
	}
}

// Each leftover says what it costs a month: nothing where it is free, and unknown where no
// price is known, which is not nothing.
func TestLeftoversAreOfAPrice(t *testing.T) {
	old := hostTagsAt(time.Hour)
	east := func(doc string) string { return strings.Replace(doc, "{", `{"location":"eastus",`, 1) }
	disk := func(name, sku string) string {
		return east(`{"name":"` + name + `","id":"/d/` + name + `","tags":` + old + `,"sku":{"name":"` + sku +
			`"},"properties":{"diskState":"Unattached","diskSizeGB":30,"timeCreated":"2026-01-01T00:00:00Z"}}`)
	}
	list, err := newScript(t, with(empties(), map[string][]scripted{
		"GET " + networks + "networkInterfaces":                   {says(200, values(east(netItem(gone+"-nic", "networkInterfaces", old, ""))))},
		"GET " + networks + "publicIPAddresses":                   {says(200, values(east(netItem(gone+"-ip", "publicIPAddresses", old, ""))))},
		"GET " + testGroup + "/providers/Microsoft.Compute/disks": {says(200, values(disk(gone+"-os", "StandardSSD_LRS"), disk("mngr-odd-00000000-os", "Odd_LRS")))},
	})).provider().Leftovers(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, l := range list {
		if got[l.Name] = "unknown"; l.USDPerMonth != nil {
			got[l.Name] = fmt.Sprintf("%.2f", *l.USDPerMonth)
		}
	}
	if diff := cmp.Diff(map[string]string{gone + "-nic": "0.00", gone + "-ip": "3.65", gone + "-os": "2.40", "mngr-odd-00000000-os": "unknown"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestRemoveLeftover(t *testing.T) {
	nic := networks + "networkInterfaces/" + gone + "-nic"
	ip := networks + "publicIPAddresses/" + gone + "-ip"
	disk := testGroup + "/providers/Microsoft.Compute/disks/" + gone + "-os"
	s := newScript(t, map[string][]scripted{
		"DELETE " + nic: {refuses(400, "NicReservedForAnotherVm", "180 seconds"), refuses(429, "TooManyRequests", "slow"), says(204, "")},
		"DELETE " + ip:  {refuses(409, "ScopeLocked", "locked")},
		"DELETE " + testVM + assignmentList + "/absent": {notThere},
		"DELETE " + disk: {refuses(409, "ScopeLocked", "locked")},
		"DELETE " + testVM + assignmentList + "/a":         {says(204, "")},
		"DELETE " + testVM + assignmentList + "/forbidden": {refuses(403, "AuthorizationFailed", "no")},
		"DELETE " + testVM + assignmentList + "/locked":    {refuses(409, "ScopeLocked", "locked")},
	})
	p := s.provider()
	if err := p.RemoveLeftover(t.Context(), agent.Leftover{Kind: agent.LeftoverInterface, Name: gone + "-nic", USDPerMonth: new(0.0)}, nil); err != nil || len(s.seen("DELETE "+nic)) < 3 {
		t.Errorf("the interface: %v", err)
	}
	if err := p.RemoveLeftover(t.Context(), agent.Leftover{Kind: agent.LeftoverRole, Resource: testVM + assignmentList + "/a", USDPerMonth: new(0.0)}, nil); err != nil {
		t.Errorf("the assignment: %v", err)
	}
	if err := p.RemoveLeftover(t.Context(), agent.Leftover{Kind: agent.LeftoverRole, Resource: testVM + assignmentList + "/absent", USDPerMonth: new(0.0)}, nil); err != nil {
		t.Errorf("an assignment that somebody else has removed: %v", err)
	}
	if err := p.RemoveLeftover(t.Context(), agent.Leftover{Kind: agent.LeftoverDisk, Name: gone + "-os"}, nil); agent.KindOf(err) != agent.KindRemains {
		t.Errorf("a disk of unknown price, which bills: %v", err)
	}
	forbidden := testVM + assignmentList + "/forbidden"
	err := p.RemoveLeftover(t.Context(), agent.Leftover{Kind: agent.LeftoverRole, Resource: forbidden, USDPerMonth: new(0.0)}, nil)
	if agent.KindOf(err) != agent.KindDenied || !agent.Harmless(err) || agent.HintOf(err) != "az role assignment delete --ids "+forbidden {
		t.Errorf("an assignment that the login may not remove: %v, hint %q", err, agent.HintOf(err))
	}
	err = p.RemoveLeftover(t.Context(), agent.Leftover{Kind: agent.LeftoverRole, Resource: testVM + assignmentList + "/locked", USDPerMonth: new(0.0)}, nil)
	if err == nil || agent.Harmless(err) {
		t.Errorf("an assignment under a lock: %v", err)
	}
	if err := p.RemoveLeftover(t.Context(), agent.Leftover{Kind: agent.LeftoverAddress, Name: gone + "-ip", USDPerMonth: new(3.65)}, nil); agent.KindOf(err) != agent.KindRemains {
		t.Errorf("the address: %v", err)
	}
}
