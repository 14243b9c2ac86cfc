package azure

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"mngr/internal/agent"
)

const assignments = "/providers/Microsoft.Authorization/roleAssignments/"

func assignmentRoute() string {
	role := "/subscriptions/" + testSub + "/providers/Microsoft.Authorization/roleDefinitions/" + roleGUID(testSub)
	return testVM + assignments + assignmentGUID(testVM, role, "aaaaaaaa-0000-0000-0000-000000000000")
}

func granted() map[string][]scripted {
	return map[string][]scripted{"PUT " + assignmentRoute(): {says(201, `{}`)}}
}

func TestCreate(t *testing.T) {
	s := newScript(t, with(granted(), map[string][]scripted{
		"PUT " + testVM:            {accepts(201, "op", machine("Creating", ""))},
		"GET " + operations + "op": {running, running, succeeded},
		"GET " + testVM:            {says(200, machine("Succeeded", ""))},
	}))
	p := s.provider()
	var phases []string
	c, err := p.Create(t.Context(), testSpec(), func(phase string) { phases = append(phases, phase) })
	if err != nil {
		t.Fatal(err)
	}
	if ok, why := c.SelfStop(); !ok {
		t.Errorf("the role was refused: %s", why)
	}
	if err := c.Wait(t.Context()); err != nil {
		t.Errorf("wait: %v", err)
	}
	h := c.Host()
	if h.ID != testHost || h.Name != "my-agent" || h.State != agent.HostCreating || h.Resource != testVM || h.Region != "westus" {
		t.Errorf("the host is %+v", h)
	}
	put := s.seen("PUT " + testVM)
	if len(put) != 1 || put[0].header.Get("If-None-Match") != "*" {
		t.Errorf("the machine was not asked for once and with If-None-Match: %+v", put)
	}
	if !strings.Contains(put[0].body, `"networkInterfaceConfigurations"`) || len(s.seen("PUT "+networks+"*")) != 0 {
		t.Error("interface and address are not in the machine's request")
	}
	if put := s.seen("PUT " + assignmentRoute()); len(put) != 1 || !strings.Contains(put[0].body, `"principalType":"ServicePrincipal"`) {
		t.Errorf("the role was not assigned with its principal's type: %+v", put)
	}
	if len(phases) == 0 {
		t.Error("no phase was shown")
	}
}

// ARM answers 412 to whoever comes second, and a retried request meets its own machine.
func TestCreateMeetsAMachine(t *testing.T) {
	other := strings.Replace(machine("Succeeded", ""), string(testHost), "host-ffffffffffffffffffffffffffffffff", 1)
	taken := refuses(412, "PreconditionFailed", "The condition '*' in the If-None-Match header was not satisfied.")
	for name, c := range map[string]struct {
		put  []scripted
		get  []scripted
		kind agent.Kind // "" when it becomes ours
	}{
		"taken by another host":        {[]scripted{taken}, []scripted{says(200, other)}, agent.KindExists},
		"our own, asked for twice":     {[]scripted{taken}, []scripted{says(200, machine("Creating", "")), says(200, machine("Succeeded", ""))}, ""},
		"our own, the answer was lost": {[]scripted{{hangUp: true}}, []scripted{says(200, machine("Creating", "")), says(200, machine("Succeeded", ""))}, ""},
		"lost, and somebody else's":    {[]scripted{{hangUp: true}}, []scripted{says(200, other)}, agent.KindExists},
		"lost, and nothing there":      {[]scripted{{hangUp: true}}, []scripted{notThere}, agent.KindUnreachable},
		"lost, and nobody can tell":    {[]scripted{{hangUp: true}}, []scripted{{hangUp: true}}, agent.KindRemains},
		"second, and nobody can tell":  {[]scripted{taken}, []scripted{{hangUp: true}}, agent.KindRemains},
		"lost, and shown late":         {[]scripted{{hangUp: true}}, []scripted{notThere, notThere, {hangUp: true}, {hangUp: true}, says(200, machine("Creating", "")), says(200, machine("Succeeded", ""))}, ""},
		"asked for twice, shown late":  {[]scripted{taken}, []scripted{notThere, says(200, machine("Creating", "")), says(200, machine("Succeeded", ""))}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScript(t, with(granted(), nothingLeft(), map[string][]scripted{"PUT " + testVM: c.put, "GET " + testVM: c.get}))
			made, err := s.provider().Create(t.Context(), testSpec(), nil)
			if c.kind != "" {
				if err == nil || agent.KindOf(err) != c.kind || made != nil {
					t.Errorf("got %v, want %s", err, c.kind)
				}
				// Not its name: the machine of that name may be a colleague's.
				if c.kind == agent.KindRemains && agent.HintOf(err) != "mngr list # shows whether it does; then: mngr destroy --force @"+string(testHost) {
					t.Errorf("hint %q", agent.HintOf(err))
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if err := made.Wait(t.Context()); err != nil {
				t.Errorf("wait: %v", err)
			}
		})
	}
}

// What half a minute is spent on is said: a refusal that may hide a machine of ours is
// followed by looks for it, since reads may lag behind.
func TestCreateShowsThatItLooksForTheMachine(t *testing.T) {
	phase := "looking whether Azure has made machine " + testVMName + " all the same"
	for name, c := range map[string]struct {
		answer scripted
		shown  bool
	}{
		"a conflict":  {refuses(409, "Conflict", "Another operation is in progress."), true},
		"no answer":   {scripted{hangUp: true}, true},
		"no capacity": {refuses(409, "SkuNotAvailable", "not available"), false},
	} {
		var phases []string
		s := newScript(t, with(nothingLeft(), map[string][]scripted{"PUT " + testVM: {c.answer}, "GET " + testVM: {notThere}}))
		_, err := s.provider().Create(t.Context(), testSpec(), func(phase string) { phases = append(phases, phase) })
		if err == nil || slices.Contains(phases, phase) != c.shown {
			t.Errorf("%s: %v, shown %q", name, err, phases)
		}
	}
}

func TestCreateRefused(t *testing.T) {
	for name, c := range map[string]struct {
		answer scripted
		kind   agent.Kind
	}{
		"no capacity": {refuses(409, "SkuNotAvailable", "The requested VM size for resource 'Following SKUs have failed for Capacity Restrictions: Standard_B2s' is currently not available in location 'westus'."), agent.KindNoCapacity},
		"quota":       {refuses(409, "OperationNotAllowed", "Operation could not be completed as it results in exceeding approved Total Regional Cores quota."), agent.KindQuota},
		"denied":      {refuses(403, "AuthorizationFailed", "The client does not have authorization"), agent.KindDenied},
		"policy":      {refuses(403, "RequestDisallowedByPolicy", "Resource was disallowed by policy."), agent.KindDenied},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScript(t, with(nothingLeft(), map[string][]scripted{"PUT " + testVM: {c.answer}}))
			_, err := s.provider().Create(t.Context(), testSpec(), nil)
			if err == nil || agent.KindOf(err) != c.kind {
				t.Errorf("got %v, want %s", err, c.kind)
			}
			if agent.HintOf(err) == "" {
				t.Error("no remedy")
			}
		})
	}
}

// An operation that fails after its request was accepted leaves a machine. It stays, so
// that somebody may look at it, until the caller undoes it with all that belongs to it.
func TestCreateFailsLater(t *testing.T) {
	nic := networks + "networkInterfaces/" + nicName(testVMName)
	nicDoc := `{"value":[{"name":"` + nicName(testVMName) + `","id":"` + nic + `","properties":{}}]}`
	s := newScript(t, with(granted(), nothingLeft(), map[string][]scripted{
		"PUT " + testVM:                         {accepts(201, "op", machine("Creating", ""))},
		"GET " + operations + "op":              {running, says(200, `{"status":"Failed","error":{"code":"AllocationFailed","message":"Allocation failed."}}`)},
		"GET " + testVM:                         {says(200, machine("Failed", ""))},
		"DELETE " + testVM:                      {accepts(202, "del", "")},
		"GET " + operations + "del":             {running, succeeded},
		"DELETE " + assignmentRoute():           {says(204, "")},
		"GET " + networks + "networkInterfaces": {says(200, nicDoc), says(200, nicDoc), says(200, emptyList)},
	}))
	c, err := s.provider().Create(t.Context(), testSpec(), nil)
	if err != nil {
		t.Fatal(err)
	}
	err = c.Wait(t.Context())
	if agent.KindOf(err) != agent.KindNoCapacity {
		t.Errorf("wait: %v", err)
	}
	if all := s.seen("DELETE *"); len(all) != 0 {
		t.Errorf("not asked to, and deleted: %v", all)
	}
	if err := c.Undo(t.Context(), nil); err != nil {
		t.Errorf("undo: %v", err)
	}
	for _, route := range []string{"DELETE " + testVM, "DELETE " + assignmentRoute()} {
		if len(s.seen(route)) != 1 {
			t.Errorf("no %s", route)
		}
	}
	if got := len(s.seen("GET " + networks + "networkInterfaces")); got != 3 {
		t.Errorf("looked %d times for the interface, which went after the second", got)
	}
}

// A create that ARM calls preempted may come up all the same, and then it is kept.
func TestCreatePreempted(t *testing.T) {
	preempted := says(200, `{"status":"Canceled","error":{"code":"OperationPreempted","message":"Operation execution has been preempted by a more recent operation."}}`)
	s := newScript(t, with(granted(), map[string][]scripted{
		"PUT " + testVM:            {accepts(201, "op", machine("Creating", ""))},
		"GET " + operations + "op": {preempted},
		"GET " + testVM:            {says(200, machine("Updating", "")), says(200, machine("Succeeded", ""))},
	}))
	c, err := s.provider().Create(t.Context(), testSpec(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Wait(t.Context()); err != nil {
		t.Errorf("wait: %v", err)
	}
	if len(s.seen("DELETE "+testVM)) != 0 {
		t.Error("a machine that came up was deleted")
	}
}

// Where Azure takes no address inline, address and interface come first and alone.
func TestCreateSeparately(t *testing.T) {
	ip, nic := networks+"publicIPAddresses/"+ipName(testVMName), networks+"networkInterfaces/"+nicName(testVMName)
	refused := says(400, `{"error":{"code":"InvalidParameter","target":"publicIPAddressConfiguration.sku","message":"The property can only be set with OrchestrationMode as Flexible."}}`)
	s := newScript(t, with(granted(), map[string][]scripted{
		"PUT " + testVM:             {refused, accepts(201, "op", machine("Creating", ""))},
		"PUT " + ip:                 {accepts(201, "ip", `{"properties":{"provisioningState":"Updating"}}`)},
		"GET " + operations + "ip":  {succeeded},
		"GET " + ip:                 {says(200, `{"properties":{"provisioningState":"Succeeded","ipAddress":"203.0.113.9"}}`)},
		"PUT " + nic:                {accepts(201, "nic", `{"properties":{"provisioningState":"Succeeded"}}`)},
		"GET " + operations + "nic": {succeeded},
		"GET " + nic:                {says(200, `{"properties":{"provisioningState":"Succeeded"}}`)},
	}))
	c, err := s.provider().Create(t.Context(), testSpec(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, why := c.SelfStop(); why != "" {
		t.Error(why)
	}
	puts := s.seen("PUT " + testVM)
	if len(puts) != 2 || strings.Contains(puts[1].body, "networkInterfaceConfigurations") || !strings.Contains(puts[1].body, nicName(testVMName)) {
		t.Errorf("the second request does not name the interface: %+v", puts)
	}
}

// A refusal after the address and the interface were made leaves neither: where Azure's
// cascade does not take them, create deletes them itself.
func TestCreateSeparatelyRefused(t *testing.T) {
	ip, nic := networks+"publicIPAddresses/"+ipName(testVMName), networks+"networkInterfaces/"+nicName(testVMName)
	inline := says(400, `{"error":{"code":"InvalidParameter","target":"publicIPAddressConfiguration.sku","message":"The property can only be set with OrchestrationMode as Flexible."}}`)
	listed := func(id string) []scripted {
		doc := says(200, `{"value":[{"name":"`+id[strings.LastIndex(id, "/")+1:]+`","id":"`+id+`","properties":{}}]}`)
		return []scripted{doc, doc, doc, doc, doc, doc, says(200, emptyList)}
	}
	s := newScript(t, with(nothingLeft(), map[string][]scripted{
		"PUT " + testVM:                         {inline, refuses(409, "SkuNotAvailable", "not available")},
		"PUT " + ip:                             {accepts(201, "ip", `{"properties":{"provisioningState":"Updating"}}`)},
		"GET " + operations + "ip":              {succeeded},
		"GET " + ip:                             {says(200, `{"properties":{"provisioningState":"Succeeded","ipAddress":"203.0.113.9"}}`)},
		"PUT " + nic:                            {accepts(201, "nic", `{"properties":{"provisioningState":"Succeeded"}}`)},
		"GET " + operations + "nic":             {succeeded},
		"GET " + nic:                            {says(200, `{"properties":{"provisioningState":"Succeeded"}}`)},
		"GET " + networks + "networkInterfaces": listed(nic),
		"GET " + networks + "publicIPAddresses": listed(ip),
		"DELETE " + nic:                         {says(204, "")},
		"DELETE " + ip:                          {says(204, "")},
	}))
	if _, err := s.provider().Create(t.Context(), testSpec(), nil); agent.KindOf(err) != agent.KindNoCapacity {
		t.Errorf("got %v", err)
	}
	if nics, ips := s.seen("DELETE "+nic), s.seen("DELETE "+ip); len(nics) != 1 || len(ips) != 1 {
		t.Errorf("deleted the interface %d times and the address %d times", len(nics), len(ips))
	}
}

// A host of another region is attached to that region's network.
func TestCreateInAnotherRegion(t *testing.T) {
	s := newScript(t, with(granted(), map[string][]scripted{"PUT " + testVM: {accepts(201, "op", machine("Creating", ""))}}))
	spec := testSpec()
	spec.Region = "East US"
	c, err := s.provider().Create(t.Context(), spec, nil)
	if err != nil {
		t.Fatal(err)
	}
	c.SelfStop()
	body := s.seen("PUT " + testVM)[0].body
	if !strings.Contains(body, `"location":"eastus"`) || !strings.Contains(body, "/virtualNetworks/mngr-vnet-eastus/subnets/mngr-subnet") {
		t.Errorf("not attached to the network in eastus: %s", body)
	}
}

func TestSelfStopIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		answers []scripted
		why     string // a part of it; "" when it works in the end
	}{
		"no permission":           {[]scripted{refuses(403, "AuthorizationFailed", "…")}, permissionAssign},
		"no role":                 {[]scripted{refuses(404, "RoleDefinitionDoesNotExist", "…")}, "mngr azure prepare"},
		"somebody else failing":   {[]scripted{refuses(400, "UnmatchedPrincipalType", "The PrincipalId has type User")}, "UnmatchedPrincipalType"},
		"there already":           {[]scripted{refuses(409, "RoleAssignmentExists", "The role assignment already exists.")}, ""},
		"the directory is behind": {[]scripted{refuses(400, "PrincipalNotFound", "Principal does not exist"), says(201, `{}`)}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScript(t, map[string][]scripted{
				"PUT " + testVM:            {accepts(201, "op", machine("Creating", ""))},
				"PUT " + assignmentRoute(): c.answers,
			})
			made, err := s.provider().Create(t.Context(), testSpec(), nil)
			if err != nil {
				t.Fatal(err)
			}
			ok, why := made.SelfStop()
			if ok != (c.why == "") || !strings.Contains(why, c.why) {
				t.Errorf("got %v, %q; want %q", ok, why, c.why)
			}
		})
	}
}

// The address is found by whatever answers: the chain over the interface, or the tag.
func TestAddress(t *testing.T) {
	nic, ip := networks+"networkInterfaces/n-1", networks+"publicIPAddresses/i-1"
	attached := `,"networkProfile":{"networkInterfaces":[{"id":"` + nic + `"}]}`
	failedView := `,"instanceView":{"statuses":[{"code":"ProvisioningState/failed/AllocationFailed","message":"Allocation failed."}]}`
	list := func(doc string) []scripted { return []scripted{says(200, emptyList), says(200, `{"value":[`+doc+`]}`)} }
	for name, c := range map[string]struct {
		vm     string
		routes map[string][]scripted
		kind   agent.Kind
	}{
		"by the interface": {machine("Creating", attached), map[string][]scripted{
			"GET " + nic: {says(200, `{"properties":{"ipConfigurations":[{"properties":{"publicIPAddress":{"id":"`+ip+`"}}}]}}`)},
			"GET " + ip:  {says(200, `{"properties":{"ipAddress":"203.0.113.9"}}`)},
		}, ""},
		"by the tag, no interface shown yet": {machine("Creating", ""), map[string][]scripted{
			"GET " + networks + "publicIPAddresses": list(`{"name":"x","tags":{"MNGR-host-id":"` + string(testHost) + `"},"properties":{"ipAddress":"203.0.113.9"}}`),
		}, ""},
		"by the attachment, no tag": {machine("Creating", attached), map[string][]scripted{
			"GET " + nic:                            {notThere},
			"GET " + networks + "publicIPAddresses": list(`{"name":"x","properties":{"ipAddress":"203.0.113.9","ipConfiguration":{"id":"` + strings.ToUpper(nic) + `/ipConfigurations/a"}}}`),
		}, ""},
		"the machine has failed": {machine("Failed", failedView), nil, agent.KindNoCapacity},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScript(t, with(granted(), c.routes, map[string][]scripted{
				"PUT " + testVM: {accepts(201, "op", machine("Creating", ""))},
				"GET " + testVM: {says(200, c.vm)},
			}))
			made, err := s.provider().Create(t.Context(), testSpec(), nil)
			if err != nil {
				t.Fatal(err)
			}
			address, err := made.Address(t.Context())
			if c.kind != "" {
				if agent.KindOf(err) != c.kind {
					t.Errorf("got %v, want %s", err, c.kind)
				}
				return
			}
			if err != nil || address != "203.0.113.9" {
				t.Errorf("got %q, %v", address, err)
			}
		})
	}
}

func TestCreateRefusesBeforeAsking(t *testing.T) {
	s := newScript(t, nil)
	p := s.provider()
	for name, change := range map[string]func(*agent.MachineSpec){
		"too much custom data": func(m *agent.MachineSpec) { m.CustomData = make([]byte, mostCustomData+1) },
		"too many tags": func(m *agent.MachineSpec) {
			m.Tags = map[string]string{}
			for i := range mostTags {
				m.Tags["t"+strings.Repeat("x", i)] = ""
			}
		},
		"a long tag":    func(m *agent.MachineSpec) { m.Tags = map[string]string{"a": strings.Repeat("x", 257)} },
		"a bad tag":     func(m *agent.MachineSpec) { m.Tags = map[string]string{"a/b": ""} },
		"a Spot B-size": func(m *agent.MachineSpec) { m.Spot, m.Size = true, "Standard_B2s" },
	} {
		spec := testSpec()
		change(&spec)
		if _, err := p.Create(t.Context(), spec, nil); agent.KindOf(err) != agent.KindUsage {
			t.Errorf("%s: %v", name, err)
		}
	}
	if all := s.seen("*"); len(all) != 0 {
		t.Errorf("asked Azure all the same: %v", all)
	}
}

func TestLocalAzure(t *testing.T) {
	settings := Defaults()
	settings.Cloud, settings.LocalDir = CloudLocal, t.TempDir()
	never, err := New(settings)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := never.List(t.Context()); !errors.Is(err, ErrLocalNeverUsed) || agent.KindOf(err) != agent.KindNotPrepared {
		t.Errorf("never used: %v", err)
	}
	s := newScript(t, nil)
	p := s.provider()
	s.server.Close()
	if _, err := p.List(t.Context()); agent.KindOf(err) != agent.KindUnreachable || agent.HintOf(err) != "mngr azure local up" || errors.Is(err, ErrLocalNeverUsed) {
		t.Errorf("used but down: %v, hint %q", err, agent.HintOf(err))
	}
}
