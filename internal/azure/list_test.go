package azure

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"mngr/internal/agent"
)

const (
	vmList  = testGroup + "/providers/Microsoft.Compute/virtualMachines"
	allList = "/subscriptions/" + testSub + "/providers/Microsoft.Compute/virtualMachines?statusOnly"
)

// listed is a machine as a group's list shows it: with the group in upper case.
func listed(name, host, more string) string {
	return `{"name":"` + name + `","id":"` + strings.Replace(vmList, "/mngr/", "/MNGR/", 1) + `/` + name + `","location":"westus",
	 "tags":{"managed-by":"mngr","mngr-host-id":"` + host + `","mngr-host-name":"mngr-` + name + `","mngr-provider":"elsewhere"},
	 "properties":{"provisioningState":"Succeeded","hardwareProfile":{"vmSize":"Standard_B2s"}` + more + `}}`
}

func view(power string) string {
	return `{"statuses":[{"code":"ProvisioningState/succeeded"},{"code":"PowerState/` + power + `"}]}`
}

// status is a machine as the list of states shows it.
func status(name, power string) string {
	return `{"name":"` + name + `","id":"` + strings.Replace(vmList, "/mngr/", "/Mngr/", 1) + `/` + name + `","properties":{"instanceView":` + view(power) + `}}`
}

func values(docs ...string) string { return `{"value":[` + strings.Join(docs, ",") + `]}` }

func TestList(t *testing.T) {
	nic := networks + "networkInterfaces/n-2"
	s := newScript(t, map[string][]scripted{
		"GET " + vmList: {{status: 200, body: `{"value":[` + listed("a", "host-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "") + `],"nextLink":"{next}"}`}},
		"GET " + vmList + "/page2": {says(200, values(
			listed("b", "host-bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", `,"networkProfile":{"networkInterfaces":[{"id":"`+nic+`"}]}`),
			`{"name":"foreign","id":"`+vmList+`/foreign","tags":{"owner":"bob"},"properties":{"provisioningState":"Succeeded"}}`))},
		"GET " + allList: {says(200, values(status("a", "running"), status("b", "deallocated"), status("foreign", "running"), status("other", "running")))},
		"GET " + networks + "publicIPAddresses": {says(200, values(
			`{"name":"i-1","tags":{"mngr-host-id":"host-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},"properties":{"ipAddress":"203.0.113.1"}}`,
			`{"name":"i-2","properties":{"ipAddress":"203.0.113.2","ipConfiguration":{"id":"`+nic+`/ipConfigurations/c"}}}`))},
	})
	s.routes[strings.ToLower("GET "+vmList)][0].body = strings.Replace(s.routes[strings.ToLower("GET "+vmList)][0].body, "{next}", s.server.URL+vmList+"/page2?api-version=x", 1)
	hosts, err := s.provider().List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, h := range hosts {
		got = append(got, fmt.Sprintf("%s %s %s %s %s %s %s", h.ID, h.Name, h.Provider, h.State, h.Billing, h.Address, h.Resource))
	}
	want := []string{
		"host-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa a elsewhere RUNNING compute 203.0.113.1 " + vmList + "/a",
		"host-bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb b elsewhere STOPPED storage 203.0.113.2 " + vmList + "/b",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if s.logins != 1 {
		t.Errorf("%d logins for one command", s.logins)
	}
	if n := len(s.seen("GET *")); n != 4 {
		t.Errorf("%d requests, want the two lists, one more page and the addresses", n)
	}
}

// Names takes one request, which tells what is being deleted, too.
func TestNames(t *testing.T) {
	s := newScript(t, map[string][]scripted{"GET " + vmList: {says(200, values(
		listed("a", "host-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", ""),
		strings.Replace(listed("b", "host-bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", ""), "Succeeded", "Deleting", 1),
		`{"name":"foreign","id":"`+vmList+`/foreign","tags":{"owner":"bob"},"properties":{"provisioningState":"Succeeded"}}`))}})
	hosts, err := s.provider().Names(t.Context())
	if err != nil || len(hosts) != 2 || hosts[0].Name != "a" || hosts[0].State == agent.HostDeleting || hosts[1].State != agent.HostDeleting {
		t.Errorf("got %+v, %v", hosts, err)
	}
	if asked := s.seen("GET *"); len(asked) != 1 {
		t.Errorf("%d requests, want one", len(asked))
	}
}

// Without rights on the subscription, or too slowly, states come from the machines
// themselves.
func TestListWithoutTheSubscription(t *testing.T) {
	for name, states := range map[string]scripted{
		"refused":  refuses(403, "AuthorizationFailed", "The client does not have authorization to perform action 'Microsoft.Compute/virtualMachines/read' over scope '/subscriptions/x'"),
		"filtered": says(200, values(status("a", "running"))),
		"too slow": {status: 200, body: emptyList, slow: time.Duration(agent.DeadlineStates) + time.Second},
		"lost":     {hangUp: true},
		"older":    says(200, values(strings.Replace(status("a", "running"), `,{"code":"PowerState/running"}`, "", 1))),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScript(t, map[string][]scripted{
				"GET " + vmList:                         {says(200, values(listed("a", "host-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", ""), listed("b", "host-bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", ""), listed("c", "host-cccccccccccccccccccccccccccccccc", ""), listed("d", "host-d", "")))},
				"GET " + allList:                        {states},
				"GET " + networks + "publicIPAddresses": {says(200, emptyList)},
				"GET " + vmList + "/a/instanceView":     {says(200, view("running"))},
				"GET " + vmList + "/b/instanceView":     {says(200, view("deallocated"))},
				"GET " + vmList + "/c/instanceView":     {notThere},
				"GET " + vmList + "/d/instanceView":     {refuses(403, "AuthorizationFailed", "no")},
			})
			hosts, err := s.provider().List(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, h := range hosts {
				got = append(got, h.Name+" "+string(h.State))
				if h.State == agent.HostUnknown && h.Failure == "" {
					t.Errorf("%s is unknown without a reason", h.Name)
				}
			}
			if want := []string{"a RUNNING", "b STOPPED", "d UNKNOWN"}; !slices.Equal(got, want) {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	}
}

func TestListWithoutAGroup(t *testing.T) {
	gone := refuses(404, "ResourceGroupNotFound", "Resource group 'mngr' could not be found.")
	s := newScript(t, map[string][]scripted{
		"GET " + vmList: {gone}, "GET " + networks + "publicIPAddresses": {gone}, "GET " + allList: {says(200, emptyList)},
	})
	if hosts, err := s.provider().List(t.Context()); err != nil || len(hosts) != 0 {
		t.Errorf("got %v, %v", hosts, err)
	}
	s = newScript(t, map[string][]scripted{
		"GET " + vmList: {refuses(403, "AuthorizationFailed", "no")}, "GET " + networks + "publicIPAddresses": {gone}, "GET " + allList: {says(200, emptyList)},
	})
	if _, err := s.provider().List(t.Context()); agent.KindOf(err) != agent.KindDenied {
		t.Errorf("a refused list is an empty one: %v", err)
	}
}

func TestGet(t *testing.T) {
	failed := `,"instanceView":{"statuses":[{"code":"ProvisioningState/failed/OverconstrainedAllocationRequest","message":"Allocation failed."}]}`
	s := newScript(t, map[string][]scripted{
		"GET " + testVM:                         {says(200, machine("Failed", failed)), notThere},
		"GET " + networks + "publicIPAddresses": {says(200, emptyList)},
	})
	p := s.provider()
	h, err := p.Get(t.Context(), testVM)
	if err != nil || h.State != agent.HostFailed || h.Failure != "Allocation failed (OverconstrainedAllocationRequest)" || h.CreatedAt.Year() != 2026 {
		t.Errorf("got %+v, %v", h, err)
	}
	if _, err := p.Get(t.Context(), testVM); agent.KindOf(err) != agent.KindNotFound {
		t.Errorf("absent: %v", err)
	}
}

// A machine whose address could not be looked up has one all the same: that nobody knows
// it is said.
func TestAddressesThatCannotBeRead(t *testing.T) {
	no := refuses(403, "AuthorizationFailed", "no addresses for you")
	s := newScript(t, map[string][]scripted{
		"GET " + vmList: {says(200, values(listed("a", "host-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "")))}, "GET " + allList: {says(200, values(status("a", "running")))},
		"GET " + vmList + "/a":                  {says(200, listed("a", "host-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", `,"instanceView":`+view("running")))},
		"GET " + networks + "publicIPAddresses": {no, no, says(200, emptyList)},
	})
	p := s.provider()
	for name, c := range map[string]func() (agent.Host, error){
		"list": func() (agent.Host, error) {
			hosts, err := p.List(t.Context())
			return append(hosts, agent.Host{})[0], err
		},
		"get": func() (agent.Host, error) { return p.Get(t.Context(), vmList+"/a") },
	} {
		h, err := c()
		if err != nil || h.State != agent.HostRunning || h.Address != "" || !strings.Contains(h.Failure, "no addresses for you") {
			t.Errorf("%s: %+v, %v", name, h, err)
		}
	}
	for name, c := range map[string]func() (agent.Host, error){
		"list": func() (agent.Host, error) {
			hosts, err := p.List(t.Context())
			return append(hosts, agent.Host{})[0], err
		},
		"get": func() (agent.Host, error) { return p.Get(t.Context(), vmList+"/a") },
	} {
		if h, err := c(); err != nil || h.State != agent.HostRunning || h.Failure != "" {
			t.Errorf("%s with a list that has none: %+v, %v", name, h, err)
		}
	}
}

// Who lists is not sent to another listing by its failure.
func TestListingThatFailsLeadsToNoOther(t *testing.T) {
	late, done := agent.Within(t.Context(), agent.Deadline(time.Nanosecond), "listing")
	defer done(nil)
	<-late.Done()
	cut := &url.Error{Op: "Get", URL: "https://management.azure.com/", Err: io.EOF}
	for name, c := range map[string]struct {
		ctx  context.Context
		err  error
		kind agent.Kind
		want string
	}{
		"too late": {late, late.Err(), agent.KindTimeout, "list machines: Azure has not answered for 30s"},
		"cut":      {t.Context(), cut, agent.KindUnreachable, "broke before its answer was there"},
		"refused":  {t.Context(), &loginError{err: io.EOF, kind: agent.KindCredentials, cause: "no Azure login", hint: "az login"}, agent.KindCredentials, "no Azure login"},
	} {
		err := newScript(t, nil).provider().unlisted(c.ctx, c.err, "list machines")
		if agent.KindOf(err) != c.kind || !strings.Contains(err.Error(), c.want) || agent.HintOf(err) == "" || strings.Contains(agent.HintOf(err), "mngr list") {
			t.Errorf("%s: %v (%s), hint %q", name, err, agent.KindOf(err), agent.HintOf(err))
		}
	}
}
