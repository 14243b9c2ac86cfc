package azure

import (
	"strings"
	"testing"

	"mngr/internal/agent"
)

func ourHost() agent.Host { return agent.Host{ID: testHost, Resource: testVM} }

func TestDestroy(t *testing.T) {
	s := newScript(t, with(nothingLeft(), map[string][]scripted{
		"GET " + testVM:               {says(200, machine("Succeeded", ""))},
		"DELETE " + testVM:            {acting("op")},
		"GET " + operations + "op":    {running, succeeded},
		"DELETE " + assignmentRoute(): {says(200, `{}`)},
	}))
	if err := s.provider().Destroy(t.Context(), ourHost(), nil); err != nil {
		t.Fatal(err)
	}
	for _, route := range []string{"DELETE " + testVM, "DELETE " + assignmentRoute()} {
		if len(s.seen(route)) != 1 {
			t.Errorf("no %s", route)
		}
	}
}

func TestDestroyAbsent(t *testing.T) {
	list := testVM + "/providers/Microsoft.Authorization/roleAssignments"
	s := newScript(t, with(nothingLeft(), map[string][]scripted{"GET " + testVM: {notThere}, "GET " + list: {
		says(200, values(`{"id":"`+list+`/g1","properties":{"scope":"`+testVM+`"}}`, `{"id":"/x/g2","properties":{"scope":"/subscriptions/x"}}`))},
		"DELETE " + list + "/g1": {says(204, "")}}))
	if err := s.provider().Destroy(t.Context(), ourHost(), nil); err != nil {
		t.Error(err)
	}
	if len(s.seen("DELETE "+list+"/g1")) != 1 {
		t.Error("the assignment that outlived its machine is still there")
	}
}

// The name may belong to another host by now.
func TestDestroyRefusesAStranger(t *testing.T) {
	s := newScript(t, map[string][]scripted{"GET " + testVM: {says(200, strings.Replace(machine("Succeeded", ""), string(testHost), "host-ffffffffffffffffffffffffffffffff", 1))}})
	if err := s.provider().Destroy(t.Context(), ourHost(), nil); agent.KindOf(err) != agent.KindRefused {
		t.Errorf("got %v", err)
	}
}

// A machine that lost its host's tags is destroyed by its name alone; one that others
// made, or that got a host's tags meanwhile, is not.
func TestDestroyWithoutTags(t *testing.T) {
	const hostTags = `"mngr-host-id":"` + string(testHost) + `","mngr-host-name":"mngr-my-agent",`
	nic, ip := networks+"networkInterfaces/n-1", networks+"publicIPAddresses/i-1"
	attached := machine("Succeeded", `,"networkProfile":{"networkInterfaces":[{"id":"`+nic+`"}]}`)
	bare := strings.Replace(attached, hostTags, "", 1)
	nameless := agent.Host{Name: testVMName, Resource: testVM}
	for name, c := range map[string]struct {
		host agent.Host
		vm   string
		kind agent.Kind
	}{
		"seen without its tags":         {nameless, bare, ""},
		"its tags went since":           {ourHost(), bare, ""},
		"its tag was spoilt":            {nameless, strings.Replace(attached, string(testHost), "../../x", 1), ""},
		"a host's by now":               {nameless, attached, agent.KindRefused},
		"nobody says that it is ours":   {nameless, strings.Replace(bare, `"managed-by":"mngr",`, "", 1), agent.KindRefused},
		"ours went with the host's tag": {ourHost(), strings.Replace(bare, `"managed-by":"mngr",`, "", 1), agent.KindRefused},
	} {
		t.Run(name, func(t *testing.T) {
			address := func(config string) scripted {
				return says(200, values(`{"name":"i-1","id":"`+ip+`","properties":{`+config+`}}`, `{"name":"foreign","properties":{}}`))
			}
			looks := []scripted{address(`"ipConfiguration":{"id":"` + nic + `/ipConfigurations/a"}`)}
			for range 12 {
				looks = append(looks, address("")) // Azure has removed the interface and left its address
			}
			s := newScript(t, with(nothingLeft(), map[string][]scripted{
				"GET " + testVM: {says(200, c.vm)}, "DELETE " + testVM: {says(204, "")},
				"DELETE " + assignmentRoute(): {says(204, "")}, "DELETE " + ip: {says(204, "")},
				"GET " + networks + "publicIPAddresses": append(looks, says(200, emptyList)),
			}))
			err := s.provider().Destroy(t.Context(), c.host, nil)
			if (err == nil) != (c.kind == "") || err != nil && agent.KindOf(err) != c.kind {
				t.Fatalf("got %v, want %q", err, c.kind)
			}
			want := 1
			if c.kind != "" {
				want = 0
			}
			for _, route := range []string{"DELETE " + testVM, "DELETE " + assignmentRoute(), "DELETE " + ip} {
				if n := len(s.seen(route)); n < want || want == 0 && n > 0 {
					t.Errorf("%s: %d times", route, n)
				}
			}
		})
	}
}

func TestListWithoutHostTags(t *testing.T) {
	bare := strings.Replace(listed("a", "host-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", ""), `"mngr-host-id":"host-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","mngr-host-name":"mngr-a",`, "", 1)
	s := newScript(t, map[string][]scripted{
		"GET " + vmList: {says(200, values(bare))}, "GET " + allList: {says(200, values(status("a", "running")))},
		"GET " + networks + "publicIPAddresses": {says(200, emptyList)},
	})
	hosts, err := s.provider().List(t.Context())
	if err != nil || len(hosts) != 1 || hosts[0].Name != "a" || hosts[0].ID != "" || hosts[0].Resource != vmList+"/a" {
		t.Errorf("got %+v, %v", hosts, err)
	}
}

// What Azure's cascade leaves is deleted by hand, and what cannot be is named.
func TestDestroyLeftovers(t *testing.T) {
	nicName, ipName, disk := nicName(testVMName)+"-77", ipName(testVMName)+"-78", diskName(testVMName)
	nic, ip, dsk := networks+"networkInterfaces/"+nicName, networks+"publicIPAddresses/"+ipName, testGroup+"/providers/Microsoft.Compute/disks/"+disk
	left := with(nothingLeft(), map[string][]scripted{
		"GET " + networks + "networkInterfaces": {says(200, values(`{"name":"`+nicName+`","id":"`+nic+`","properties":{}}`,
			`{"name":"foreign","id":"x","properties":{"virtualMachine":{"id":"/another"}},"tags":{"mngr-host-id":"`+string(testHost)+`"}}`))},
		"GET " + networks + "publicIPAddresses":                   {says(200, values(`{"name":"`+ipName+`","id":"`+ip+`","properties":{}}`, `{"name":"foreign","properties":{}}`))},
		"GET " + testGroup + "/providers/Microsoft.Compute/disks": {says(200, values(`{"name":"`+disk+`","properties":{}}`, `{"name":"foreign","managedBy":"/another","tags":{"mngr-host-id":"`+string(testHost)+`"}}`))},
		"GET " + testVM:                  {says(200, machine("Succeeded", ""))},
		"DELETE " + testVM:               {acting("op")},
		"GET " + operations + "op":       {succeeded},
		"DELETE " + assignmentRoute():    {says(403, `{"error":{"code":"AuthorizationFailed"}}`)},
		"GET " + testVM + assignmentList: {says(200, values(`{"id":"`+strings.TrimSpace(assignmentRoute())+`","properties":{"scope":"`+testVM+`"}}`))},
		"DELETE " + nic:                  {refuses(400, "NicReservedForAnotherVm", "Nic(s) in request is reserved for another Virtual Machine for 180 seconds."), says(204, "")},
		"DELETE " + ip:                   {refuses(400, "PublicIPAddressCannotBeDeleted", "still allocated"), says(204, "")},
		"DELETE " + dsk:                  {says(204, "")},
	})
	s := newScript(t, left)
	gone := func(phase string) {
		if strings.Contains(phase, "180 seconds") { // from now on the lists are empty
			s.mu.Lock()
			for route, answers := range nothingLeft() {
				key := strings.ToLower(route)
				s.routes[key] = append(s.routes[key][:1:1], answers...)
			}
			s.mu.Unlock()
		}
	}
	err := s.provider().Destroy(t.Context(), ourHost(), gone)
	if agent.KindOf(err) != agent.KindDenied || !strings.Contains(agent.HintOf(err), "az role assignment delete --ids "+testVM) {
		t.Fatalf("the assignment that stays is not said: %v, hint %q", err, agent.HintOf(err))
	}
	for route, most := range map[string]int{"DELETE " + nic: 2, "DELETE " + ip: 2, "DELETE " + dsk: 2} {
		if n := len(s.seen(route)); n < 1 || n > most {
			t.Errorf("%s: %d times", route, n)
		}
	}
}

// What passes is waited for: another operation, throttling, Azure's own failures before
// and after it accepted, a lost connection. What does not pass ends with code 5.
func TestDestroyIsStubborn(t *testing.T) {
	throttled := refuses(429, "TooManyRequests", "slow down")
	throttled.header = map[string]string{"Retry-After": "0", "X-Ms-Retry-After-Ms": "1"}
	failed := says(200, `{"status":"Failed","error":{"code":"InternalExecutionError","message":"An internal execution error occurred."}}`)
	for name, c := range map[string]struct {
		look, remove []scripted
		op           []scripted
		kind         agent.Kind
		times        int
	}{
		"busy":           {remove: []scripted{refuses(409, "Conflict", "busy"), refuses(409, "OperationNotAllowed", "an operation in progress"), acting("op")}, times: 3},
		"throttled":      {remove: []scripted{throttled, throttled, throttled, acting("op")}, times: 4},
		"broken":         {remove: []scripted{refuses(500, "InternalServerError", "x"), refuses(500, "InternalServerError", "x"), refuses(503, "ServerBusy", "x"), acting("op")}, times: 4},
		"lost":           {remove: []scripted{{hangUp: true}, {hangUp: true}, {hangUp: true}, acting("op")}, times: 4},
		"fails later":    {remove: []scripted{acting("op")}, op: []scripted{failed, succeeded}, times: 2},
		"preempted":      {remove: []scripted{acting("op")}, op: []scripted{says(200, `{"status":"Canceled","error":{"code":"OperationPreempted"}}`), succeeded}, times: 2},
		"slow to look":   {look: []scripted{throttled, throttled, throttled, throttled, says(200, machine("Succeeded", ""))}, remove: []scripted{acting("op")}, times: 1},
		"locked":         {remove: []scripted{refuses(409, "ScopeLocked", "The scope is locked.")}, kind: agent.KindRemains, times: 1},
		"not allowed to": {remove: []scripted{refuses(403, "AuthorizationFailed", "no")}, kind: agent.KindRemains, times: 1},
	} {
		t.Run(name, func(t *testing.T) {
			if c.look == nil {
				c.look = []scripted{says(200, machine("Succeeded", ""))}
			}
			if c.op == nil {
				c.op = []scripted{running, succeeded}
			}
			s := newScript(t, with(nothingLeft(), map[string][]scripted{
				"GET " + testVM: c.look, "DELETE " + testVM: c.remove, "GET " + operations + "op": c.op,
				"DELETE " + assignmentRoute(): {says(204, "")},
			}))
			err := s.provider().Destroy(t.Context(), ourHost(), nil)
			if (err == nil) != (c.kind == "") || err != nil && agent.KindOf(err) != c.kind {
				t.Errorf("got %v, want %q", err, c.kind)
			}
			if n := len(s.seen("DELETE " + testVM)); n < c.times {
				t.Errorf("%d deletions, want %d", n, c.times)
			}
		})
	}
}

// A look at the parts that fails for a while is repeated: nobody has seen them gone.
func TestDestroyLooksAgain(t *testing.T) {
	broken := refuses(500, "InternalServerError", "x")
	s := newScript(t, with(nothingLeft(), map[string][]scripted{
		"GET " + testVM: {notThere}, "GET " + networks + "networkInterfaces": {broken, broken, broken, broken, says(200, emptyList)},
	}))
	if err := s.provider().Destroy(t.Context(), ourHost(), nil); err != nil {
		t.Error(err)
	}
	denied := newScript(t, with(nothingLeft(), map[string][]scripted{
		"GET " + testVM: {notThere}, "GET " + networks + "networkInterfaces": {refuses(403, "AuthorizationFailed", "no")},
	}))
	if err := denied.provider().Destroy(t.Context(), ourHost(), nil); agent.KindOf(err) != agent.KindRemains || !strings.Contains(err.Error(), "cannot tell") {
		t.Errorf("got %v", err)
	}
}

// The original gave its role assignments random names, and a role of its own.
func TestDestroyRevokesTheOriginals(t *testing.T) {
	list := testVM + assignmentList
	s := newScript(t, with(nothingLeft(), map[string][]scripted{
		"GET " + testVM: {says(200, machine("Succeeded", ""))}, "DELETE " + testVM: {says(204, "")},
		"DELETE " + assignmentRoute(): {says(204, "")},
		"GET " + list: {says(200, values(`{"id":"`+list+`/random","properties":{"scope":"`+strings.ToUpper(testVM)+`"}}`,
			`{"id":"/x/above","properties":{"scope":"`+testGroup+`"}}`))},
		"DELETE " + list + "/random": {refuses(500, "InternalServerError", "x"), refuses(500, "InternalServerError", "x"), refuses(500, "InternalServerError", "x"), says(200, "{}")},
	}))
	if err := s.provider().Destroy(t.Context(), ourHost(), nil); err != nil {
		t.Fatal(err)
	}
	if n := len(s.seen("DELETE " + list + "/random")); n != 4 {
		t.Errorf("%d attempts, want one that succeeds after three", n)
	}
}

// A host whose machine has gone is not listed any more, so that the error has to say how
// to get rid of the rest.
func TestRemainsAreNamed(t *testing.T) {
	at := rest{subscription: testSub, group: "mngr", vm: "x"}
	err := at.stillThere(remains{nics: []string{"n"}, ips: []string{"i"}, disks: []string{"d"}},
		armAnswer(400, `{"error":{"code":"NicReservedForAnotherVm","message":"…"}}`))
	for _, want := range []string{"network interface n", "public address i", "disk d", "180 seconds"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not name %q", err, want)
		}
	}
	const in = " --subscription " + testSub + " -g mngr -n "
	if want := "az network nic delete" + in + "n # then: az network public-ip delete" + in + "i; az disk delete" + in + "d --yes"; agent.HintOf(err) != want {
		t.Errorf("hint\n%q, want\n%q", agent.HintOf(err), want)
	}
	if agent.KindOf(err) != agent.KindRemains {
		t.Error("the wrong kind")
	}
}
