package azure

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"mngr/internal/agent"
)

const (
	nsg   = networks_ + "networkSecurityGroups/mngr-nsg"
	vnet  = networks_ + "virtualNetworks/mngr-vnet"
	group = "/subscriptions/" + testSub + "/resourcegroups/mngr"

	networks_ = testGroup + "/providers/Microsoft.Network/"
)

func roleRoute() string {
	return "/subscriptions/" + testSub + "/providers/Microsoft.Authorization/roleDefinitions/" + roleGUID(testSub)
}

func providersSay(state string) map[string][]scripted {
	routes := map[string][]scripted{}
	for _, ns := range []string{"Compute", "Network", "Storage"} {
		routes["GET /subscriptions/"+testSub+"/providers/Microsoft."+ns] = []scripted{says(200, `{"registrationState":"`+state+`"}`)}
	}
	return routes
}

// inRegions is the network provider, offered in some regions.
func inRegions(display ...string) scripted {
	raw, _ := json.Marshal(map[string]any{"registrationState": "Registered",
		"resourceTypes": []any{map[string]any{"resourceType": "virtualNetworks", "locations": display}}})
	return says(200, string(raw))
}

const ourTag = `"tags":{"managed-by":"mngr"},"location":"westus"`

func rule(name string, priority int, source string) string {
	raw, _ := json.Marshal(map[string]any{"name": name, "properties": map[string]any{
		"priority": priority, "direction": "Inbound", "access": "Allow", "sourceAddressPrefix": source}})
	return string(raw)
}

// prepared is a subscription in which everything is there.
func prepared(rules ...string) map[string][]scripted {
	return with(providersSay("Registered"), map[string][]scripted{
		"GET " + group: {says(200, `{"name":"mngr",`+ourTag+`,"properties":{"provisioningState":"Succeeded"}}`)},
		"GET " + nsg:   {says(200, `{"name":"mngr-nsg",`+ourTag+`,"properties":{"securityRules":[`+strings.Join(rules, ",")+`]}}`)},
		"GET " + vnet: {says(200, `{"name":"mngr-vnet",`+ourTag+`,"properties":{"subnets":[{"name":"mngr-subnet","properties":{
			"addressPrefix":"10.0.0.0/24","networkSecurityGroup":{"id":"`+strings.ToLower(nsg)+`"}}}]}}`)},
		"GET " + roleRoute(): {says(200, `{}`)},
	})
}

var allRules = []string{
	rule("mngr-allow-tcp-22", 1000, "203.0.113.0/24"), rule("mngr-allow-tcp-2222", 1010, "203.0.113.0/24"),
	rule("mngr-deny-between-hosts", 900, "10.0.0.0/24"),
}

// writable adds that a rule may be written.
func writable(names ...string) map[string][]scripted {
	routes := map[string][]scripted{"GET " + operations + "op": {succeeded}}
	for _, name := range names {
		routes["PUT "+nsg+"/securityRules/"+name] = []scripted{accepts(201, "op", `{}`)}
		routes["GET "+nsg+"/securityRules/"+name] = []scripted{says(200, `{}`)}
	}
	return routes
}

func TestPrepareFromNothing(t *testing.T) {
	routes := with(prepared(), writable("mngr-allow-tcp-22", "mngr-allow-tcp-2222", "mngr-deny-between-hosts"), map[string][]scripted{
		"GET /subscriptions/" + testSub + "/providers/Microsoft.Network": {
			says(200, `{"registrationState":"NotRegistered"}`), says(200, `{"registrationState":"Registering"}`), says(200, `{"registrationState":"Registered"}`)},
		"POST /subscriptions/" + testSub + "/providers/Microsoft.Network/register": {says(200, `{"registrationState":"Registering"}`)},
		"GET " + group:       {refuses(404, "ResourceGroupNotFound", "…")},
		"PUT " + group:       {says(201, `{}`)},
		"GET " + nsg:         {notThere, notThere, says(200, `{}`)},
		"PUT " + nsg:         {accepts(201, "op", `{}`)},
		"GET " + vnet:        {notThere, notThere, says(200, `{}`)},
		"PUT " + vnet:        {accepts(201, "op", `{}`)},
		"GET " + roleRoute(): {refuses(404, "RoleDefinitionDoesNotExist", "…")},
		"PUT " + roleRoute(): {refuses(409, "RoleDefinitionWithSameNameExists", "A role definition cannot be updated with a name that already exists."), says(201, `{}`)},
	})
	s := newScript(t, routes)
	got, err := s.provider().Prepare(t.Context(), PrepareOptions{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !got.Created || got.Region != "westus" || got.SubscriptionID != testSub {
		t.Errorf("got %+v", got)
	}
	if len(got.Warnings) != 1 || !strings.Contains(got.Warnings[0], "whole internet") {
		t.Errorf("warnings: %q", got.Warnings)
	}
	var writes []string
	for _, r := range s.seen("*") {
		if !strings.HasPrefix(r.route, "GET") {
			writes = append(writes, strings.TrimPrefix(r.route, "PUT "+testGroup)+" "+r.body)
		}
	}
	goldenText(t, "prepare-writes.txt", strings.Join(writes, "\n")+"\n")
}

func TestPrepareAgainWritesNothing(t *testing.T) {
	s := newScript(t, prepared(allRules...))
	got, err := s.provider().Prepare(t.Context(), PrepareOptions{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got.Created || slices.ContainsFunc(got.Parts, func(p Part) bool { return p.Action != Keep }) || len(got.Parts) != 11 || len(got.Warnings) != 0 {
		t.Errorf("got %+v", got)
	}
	wroteNothing(t, s)
}

func wroteNothing(t *testing.T, s *script) {
	t.Helper()
	for _, r := range s.seen("*") {
		if !strings.HasPrefix(r.route, "GET") {
			t.Errorf("wrote %s", r.route)
		}
	}
}

func TestPrepareRules(t *testing.T) {
	const r22, r2222, deny = "mngr-allow-tcp-22", "mngr-allow-tcp-2222", "mngr-deny-between-hosts"
	foreign := rule("mine", 1000, "*")
	for name, c := range map[string]struct {
		have   []string
		flag   []string // --allowed-ssh-cidr
		config []string // allowed_ssh_cidrs
		port   int
		writes []string // "PUT name source priority" or "DELETE name"
		warn   string
	}{
		"nothing said, nothing changed": {have: allRules},
		"the flag is what is there":     {have: allRules, flag: []string{"203.0.113.9/24"}},
		"the flag narrows":              {have: allRules, flag: []string{"198.51.100.7"}, writes: []string{"PUT " + r22 + " 198.51.100.7/32 1000", "PUT " + r2222 + " 198.51.100.7/32 1010"}},
		"the settings narrow":           {have: allRules, config: []string{"198.51.100.7"}, writes: []string{"PUT " + r22 + " 198.51.100.7/32 1000", "PUT " + r2222 + " 198.51.100.7/32 1010"}},
		"the flag beats the settings":   {have: allRules, config: []string{"198.51.100.7"}, flag: []string{"203.0.113.0/24"}},
		"nobody":                        {have: allRules, config: []string{}, writes: []string{"DELETE " + r22, "DELETE " + r2222}, warn: "no source"},
		"taken away on purpose":         {have: []string{allRules[2]}, warn: "no source"},
		"another port":                  {have: allRules, port: 2022, writes: []string{"PUT mngr-allow-tcp-2022 203.0.113.0/24 1020"}},
		"an interrupted run":            {have: []string{rule(r22, 1000, "0.0.0.0/0")}, writes: []string{"PUT " + r2222 + " 0.0.0.0/0 1010", "PUT " + deny + " 10.0.0.0/24 900"}, warn: "whole internet"},
		"a foreign rule has the priority": {have: []string{foreign}, flag: []string{"203.0.113.0/24"},
			writes: []string{"PUT " + r22 + " 203.0.113.0/24 1010", "PUT " + r2222 + " 203.0.113.0/24 1020", "PUT " + deny + " 10.0.0.0/24 900"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScript(t, with(prepared(c.have...), writable(r22, r2222, "mngr-allow-tcp-2022", deny), map[string][]scripted{
				"DELETE " + nsg + "/securityRules/" + r22: {says(204, "")}, "DELETE " + nsg + "/securityRules/" + r2222: {says(204, "")},
			}))
			p := s.provider(func(s *Settings) {
				s.AllowedSSHCIDRs = c.config
				if c.port != 0 {
					s.ContainerSSHPort = c.port
				}
			})
			got, err := p.Prepare(t.Context(), PrepareOptions{AllowedSSHCIDRs: c.flag}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if writes := ruleWrites(t, s); !slices.Equal(writes, c.writes) {
				t.Errorf("wrote %q, want %q", writes, c.writes)
			}
			if all := strings.Join(got.Warnings, "; "); !strings.Contains(all, c.warn) || c.warn == "" && all != "" {
				t.Errorf("warned %q, want %q", all, c.warn)
			}
		})
	}
}

func ruleWrites(t *testing.T, s *script) []string {
	var out []string
	for _, r := range s.seen("*") {
		method, path, _ := strings.Cut(r.route, " ")
		if method == "GET" {
			continue
		}
		line := method + " " + path[strings.LastIndex(path, "/")+1:]
		if method == "PUT" {
			var body struct {
				Properties struct {
					SourceAddressPrefix string
					Priority            json.Number
				}
			}
			if err := json.Unmarshal([]byte(r.body), &body); err != nil {
				t.Fatal(err)
			}
			line += " " + body.Properties.SourceAddressPrefix + " " + body.Properties.Priority.String()
		}
		out = append(out, line)
	}
	return out
}

func TestPrepareRefuses(t *testing.T) {
	theirs := `{"name":"x","location":"westus","tags":{"owner":"bob"},"properties":{"provisioningState":"Succeeded"}}`
	for name, c := range map[string]struct {
		routes map[string][]scripted
		o      PrepareOptions
		kind   agent.Kind // "" when it goes through
	}{
		"a group of somebody else": {map[string][]scripted{"GET " + group: {says(200, theirs)}, "GET " + vnet: {notThere}}, PrepareOptions{}, agent.KindRefused},
		"with our network in it":   {map[string][]scripted{"GET " + group: {says(200, theirs)}}, PrepareOptions{}, ""},
		"unless told to use it":    {map[string][]scripted{"GET " + group: {says(200, theirs)}}, PrepareOptions{UseExistingGroup: true}, ""},
		"told to use none":         {map[string][]scripted{"GET " + group: {notThere}}, PrepareOptions{UseExistingGroup: true}, agent.KindNotFound},
		"a group on its way out":   {map[string][]scripted{"GET " + group: {says(200, `{"tags":{"managed-by":"mngr"},"properties":{"provisioningState":"Deleting"}}`)}}, PrepareOptions{}, agent.KindConflict},
		"a foreign security group": {map[string][]scripted{"GET " + nsg: {says(200, theirs)}}, PrepareOptions{}, agent.KindRefused},
		"a foreign network":        {map[string][]scripted{"GET " + vnet: {says(200, theirs)}}, PrepareOptions{}, agent.KindRefused},
		"a network elsewhere":      {map[string][]scripted{"GET " + vnet: {says(200, `{"location":"eastus","tags":{"managed-by":"mngr"}}`)}}, PrepareOptions{}, agent.KindRefused},
		"a wrong source":           {nil, PrepareOptions{AllowedSSHCIDRs: []string{"me"}}, agent.KindUsage},
		"a source of IPv6":         {nil, PrepareOptions{AllowedSSHCIDRs: []string{"2001:db8::/32"}}, agent.KindUsage},
		"a missing permission":     {map[string][]scripted{"GET " + group: {refuses(403, "AuthorizationFailed", "…")}}, PrepareOptions{}, agent.KindDenied},
		"no region at all":         {nil, PrepareOptions{Region: "../x"}, agent.KindUsage},
		"an unknown region": {map[string][]scripted{"GET " + vnet + "-mars": {notThere}, "GET " + nsg + "-mars": {notThere},
			"GET /subscriptions/" + testSub + "/providers/Microsoft.Network": {inRegions("West US", "East US")}}, PrepareOptions{Region: "mars"}, agent.KindUsage},
		"a provider to register, and a group of somebody else": {with(providersSay("NotRegistered"), map[string][]scripted{
			"GET " + group: {says(200, theirs)}, "GET " + vnet: {notThere}}), PrepareOptions{}, agent.KindRefused},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScript(t, with(prepared(allRules...), c.routes))
			_, err := s.provider().Prepare(t.Context(), c.o, nil)
			if (err == nil) != (c.kind == "") || err != nil && agent.KindOf(err) != c.kind {
				t.Errorf("got %v, want %q", err, c.kind)
			}
			wroteNothing(t, s)
		})
	}
}

func TestPrepareWithoutRoleRights(t *testing.T) {
	no := refuses(403, "AuthorizationFailed", "…")
	s := newScript(t, with(prepared(allRules...), map[string][]scripted{"GET " + roleRoute(): {refuses(404, "RoleDefinitionDoesNotExist", "…")}, "PUT " + roleRoute(): {no}}))
	got, err := s.provider().Prepare(t.Context(), PrepareOptions{}, nil)
	if err != nil || len(got.Warnings) != 1 || !strings.Contains(got.Warnings[0], permissionDefine) {
		t.Errorf("got %v, %q", err, got.Warnings)
	}
}

// A subnet is made where it is absent, without a PUT of the network. One that is there is
// left alone: what is wrong with it is said, with the remedy.
func TestPrepareSubnet(t *testing.T) {
	const bind = "az network vnet subnet update"
	subnet := vnet + "/subnets/mngr-subnet"
	for name, c := range map[string]struct {
		subnets string
		puts    int
		warn    string
	}{
		"absent":  {``, 1, ""},
		"unbound": {`{"name":"mngr-subnet","properties":{"addressPrefix":"10.0.0.0/24"}}`, 0, "cannot be reached; bind it with: " + bind},
		"bound to another": {`{"name":"mngr-subnet","properties":{"addressPrefix":"10.0.0.0/24","networkSecurityGroup":{"id":"/x/other"}}}`, 0,
			"bound to another security group (/x/other), whose rules count instead of ours; bind it with: " + bind},
		"of another range": {`{"name":"mngr-subnet","properties":{"addressPrefix":"10.0.7.0/24","networkSecurityGroup":{"id":"` + nsg + `"}}}`, 0,
			"keeps out 10.0.0.0/24, and the subnet is 10.0.7.0/24"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScript(t, with(prepared(allRules...), map[string][]scripted{
				"GET " + vnet:              {says(200, `{`+ourTag+`,"properties":{"subnets":[`+c.subnets+`]}}`)},
				"PUT " + subnet:            {accepts(201, "op", `{}`)},
				"GET " + subnet:            {notThere, says(200, `{}`)},
				"GET " + operations + "op": {succeeded},
			}))
			got, err := s.provider().Prepare(t.Context(), PrepareOptions{}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if put := s.seen("PUT *"); len(put) != c.puts || c.puts == 1 && !strings.Contains(put[0].body, "mngr-nsg") {
				t.Errorf("wrote %+v", put)
			}
			if all := strings.Join(got.Warnings, "; "); !strings.Contains(all, c.warn) || c.warn == "" && all != "" {
				t.Errorf("warned %q, want %q", all, c.warn)
			}
		})
	}
}

func TestPrepareAnotherRegion(t *testing.T) {
	s := newScript(t, with(prepared(), writable(), map[string][]scripted{
		"GET " + nsg + "-eastus":  {notThere, notThere, says(200, `{}`)},
		"PUT " + nsg + "-eastus":  {accepts(201, "op", `{}`)},
		"GET " + vnet + "-eastus": {notThere, notThere, says(200, `{}`)},
		"PUT " + vnet + "-eastus": {refuses(409, "AnotherOperationInProgress", "…"), accepts(201, "op", `{}`)},
		"PUT " + nsg + "-eastus/securityRules/mngr-deny-between-hosts": {accepts(201, "op", `{}`)},
		"GET " + nsg + "-eastus/securityRules/mngr-deny-between-hosts": {says(200, `{}`)},
	}))
	p := s.provider(func(s *Settings) { s.AllowedSSHCIDRs = []string{} })
	got, err := p.Prepare(t.Context(), PrepareOptions{Region: "East US"}, nil)
	if err != nil || got.Region != "eastus" {
		t.Fatalf("got %+v, %v", got, err)
	}
	if put := s.seen("PUT " + vnet + "-eastus"); len(put) != 2 || !strings.Contains(put[1].body, `"location":"eastus"`) {
		t.Errorf("wrote %+v", put)
	}
}

// A dry run tells what there is to do, from what to what, and does not do it.
func TestPrepareDryRun(t *testing.T) {
	bare := with(providersSay("Registered"), map[string][]scripted{
		"GET " + networkRoute: {says(200, `{"registrationState":"NotRegistered"}`)},
		"GET " + group:        {refuses(404, "ResourceGroupNotFound", "…")}, "GET " + nsg: {notThere}, "GET " + vnet: {notThere},
		"GET " + roleRoute(): {refuses(404, "RoleDefinitionDoesNotExist", "…")},
	})
	for name, c := range map[string]struct {
		routes map[string][]scripted
		cidrs  []string
		want   []string
	}{
		"from nothing": {bare, []string{"203.0.113.4", "10.0.0.0/8"}, []string{
			"register resource provider Microsoft.Network", "create resource group mngr", "create security group mngr-nsg",
			"create security rule mngr-allow-tcp-22 for 203.0.113.4/32, 10.0.0.0/8",
			"create security rule mngr-allow-tcp-2222 for 203.0.113.4/32, 10.0.0.0/8",
			"create security rule mngr-deny-between-hosts for 10.0.0.0/24", "create network mngr-vnet", "create role mngr-self-deallocate"}},
		"narrower": {prepared(allRules...), []string{"203.0.113.4"}, []string{
			"change security rule mngr-allow-tcp-22 from 203.0.113.0/24 to 203.0.113.4/32",
			"change security rule mngr-allow-tcp-2222 from 203.0.113.0/24 to 203.0.113.4/32"}},
		"nobody": {prepared(allRules...), []string{}, []string{
			"delete security rule mngr-allow-tcp-22 for 203.0.113.0/24", "delete security rule mngr-allow-tcp-2222 for 203.0.113.0/24"}},
		"as it is": {prepared(allRules...), nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScript(t, c.routes)
			got, err := s.provider().Prepare(t.Context(), PrepareOptions{DryRun: true, AllowedSSHCIDRs: c.cidrs}, nil)
			var plan []string
			for _, part := range got.Parts {
				if part.Action != Keep {
					plan = append(plan, part.String())
				}
			}
			if err != nil || !slices.Equal(plan, c.want) || got.Created {
				t.Errorf("got %v, %q, want %q", err, plan, c.want)
			}
			wroteNothing(t, s)
		})
	}
}

// Somebody else makes the security group between the look and the write. It has his
// rules, which no PUT of the group may drop, and which nothing may widen.
func TestPrepareGivesWay(t *testing.T) {
	theirs := says(200, `{"name":"mngr-nsg",`+ourTag+`,"properties":{"securityRules":[`+strings.Join(allRules, ",")+`]}}`)
	s := newScript(t, with(prepared(), map[string][]scripted{
		"GET " + nsg: {notThere, theirs},
		"PUT " + nsg: {says(200, `{}`)},
	}))
	got, err := s.provider().Prepare(t.Context(), PrepareOptions{}, nil)
	if err != nil || len(got.Warnings) != 0 {
		t.Errorf("got %+v, %v", got, err)
	}
	wroteNothing(t, s)
}

func TestPreflight(t *testing.T) {
	sizes := "GET " + compute + "/locations/westus/vmSizes"
	some := map[string][]scripted{sizes: {says(200, values(`{"name":"Standard_B2s"}`))}}
	for name, c := range map[string]struct {
		routes map[string][]scripted
		spec   agent.MachineSpec
		kind   agent.Kind
		hint   string
	}{
		"all is there":           {some, agent.MachineSpec{}, "", ""},
		"an unknown size":        {some, agent.MachineSpec{Size: "Standard_X99"}, agent.KindUsage, "list-sizes"},
		"sizes cannot be listed": {map[string][]scripted{sizes: {refuses(403, "AuthorizationFailed", "…")}}, agent.MachineSpec{Size: "Standard_X99"}, "", ""},
		"not prepared":           {with(some, map[string][]scripted{"GET " + vnet: {notThere}}), agent.MachineSpec{}, agent.KindNotPrepared, "mngr azure prepare"},
		"not prepared there": {map[string][]scripted{"GET " + vnet + "-eastus": {notThere}, "GET " + compute + "/locations/eastus/vmSizes": {says(200, emptyList)}},
			agent.MachineSpec{Region: "eastus"}, agent.KindNotPrepared, "mngr azure prepare --region eastus"},
		"no subnet":     {with(some, map[string][]scripted{"GET " + vnet: {says(200, `{`+ourTag+`}`)}}), agent.MachineSpec{}, agent.KindNotPrepared, "prepare"},
		"a Spot B-size": {some, agent.MachineSpec{Spot: true, Size: "Standard_B2s"}, agent.KindUsage, "Standard_D2s_v5"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScript(t, with(prepared(), c.routes))
			err := s.provider().Preflight(t.Context(), c.spec)
			if (err == nil) != (c.kind == "") || err != nil && agent.KindOf(err) != c.kind || !strings.Contains(agent.HintOf(err), c.hint) {
				t.Errorf("got %v (%s), want %q with %q", err, agent.HintOf(err), c.kind, c.hint)
			}
		})
	}
}

func TestControlPlane(t *testing.T) {
	s := newScript(t, prepared())
	p := s.provider()
	for range 2 {
		got, err := p.ControlPlane(t.Context(), "")
		if err != nil || got.Endpoint != s.server.URL || got.Audience != armAudience || got.SubnetPrefix != "10.0.0.0/24" || !got.SelfStop || len(got.CACert) == 0 {
			t.Fatalf("got %+v, %v", got, err)
		}
	}
	if n := len(s.seen("GET " + vnet)); n != 1 {
		t.Errorf("asked %d times for the same network", n)
	}
}
