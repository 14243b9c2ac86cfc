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
		"GET " + nsg:         {notThere, says(200, `{}`)},
		"PUT " + nsg:         {accepts(201, "op", `{}`)},
		"GET " + vnet:        {notThere, says(200, `{}`)},
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
	if got.Created || slices.ContainsFunc(got.Parts, func(p Part) bool { return p.Created }) || len(got.Warnings) != 0 {
		t.Errorf("got %+v", got)
	}
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
		"a group of somebody else": {map[string][]scripted{"GET " + group: {says(200, theirs)}}, PrepareOptions{}, agent.KindRefused},
		"unless told to use it":    {map[string][]scripted{"GET " + group: {says(200, theirs)}}, PrepareOptions{UseExistingGroup: true}, ""},
		"told to use none":         {map[string][]scripted{"GET " + group: {notThere}}, PrepareOptions{UseExistingGroup: true}, agent.KindNotFound},
		"a group on its way out":   {map[string][]scripted{"GET " + group: {says(200, `{"tags":{"managed-by":"mngr"},"properties":{"provisioningState":"Deleting"}}`)}}, PrepareOptions{}, agent.KindConflict},
		"a foreign security group": {map[string][]scripted{"GET " + nsg: {says(200, theirs)}}, PrepareOptions{}, agent.KindRefused},
		"a foreign network":        {map[string][]scripted{"GET " + vnet: {says(200, theirs)}}, PrepareOptions{}, agent.KindRefused},
		"a network elsewhere":      {map[string][]scripted{"GET " + vnet: {says(200, `{"location":"eastus","tags":{"managed-by":"mngr"}}`)}}, PrepareOptions{}, agent.KindRefused},
		"a wrong source":           {nil, PrepareOptions{AllowedSSHCIDRs: []string{"me"}}, agent.KindUsage},
		"a missing permission":     {map[string][]scripted{"GET " + group: {refuses(403, "AuthorizationFailed", "…")}}, PrepareOptions{}, agent.KindDenied},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScript(t, with(prepared(allRules...), c.routes))
			_, err := s.provider().Prepare(t.Context(), c.o, nil)
			if (err == nil) != (c.kind == "") || err != nil && agent.KindOf(err) != c.kind {
				t.Errorf("got %v, want %q", err, c.kind)
			}
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

// The network has lost what machines need; it is mended without a PUT of the network.
func TestPrepareMendsTheSubnet(t *testing.T) {
	subnet := vnet + "/subnets/mngr-subnet"
	for name, subnets := range map[string]string{
		"absent":  ``,
		"unbound": `{"name":"mngr-subnet","properties":{"addressPrefix":"10.0.0.0/24","serviceEndpoints":[{"service":"Microsoft.Storage"}]}}`,
	} {
		t.Run(name, func(t *testing.T) {
			s := newScript(t, with(prepared(allRules...), map[string][]scripted{
				"GET " + vnet:              {says(200, `{`+ourTag+`,"properties":{"subnets":[`+subnets+`]}}`)},
				"PUT " + subnet:            {accepts(201, "op", `{}`)},
				"GET " + subnet:            {says(200, `{}`)},
				"GET " + operations + "op": {succeeded},
			}))
			if _, err := s.provider().Prepare(t.Context(), PrepareOptions{}, nil); err != nil {
				t.Fatal(err)
			}
			put := s.seen("PUT " + subnet)
			if len(put) != 1 || !strings.Contains(put[0].body, "mngr-nsg") || name == "unbound" != strings.Contains(put[0].body, "Microsoft.Storage") {
				t.Errorf("wrote %+v", put)
			}
		})
	}
}

func TestPrepareAnotherRegion(t *testing.T) {
	s := newScript(t, with(prepared(), writable(), map[string][]scripted{
		"GET " + nsg + "-eastus":  {notThere, says(200, `{}`)},
		"PUT " + nsg + "-eastus":  {accepts(201, "op", `{}`)},
		"GET " + vnet + "-eastus": {notThere, says(200, `{}`)},
		"PUT " + vnet + "-eastus": {accepts(201, "op", `{}`)},
		"PUT " + nsg + "-eastus/securityRules/mngr-deny-between-hosts": {accepts(201, "op", `{}`)},
		"GET " + nsg + "-eastus/securityRules/mngr-deny-between-hosts": {says(200, `{}`)},
	}))
	p := s.provider(func(s *Settings) { s.AllowedSSHCIDRs = []string{} })
	got, err := p.Prepare(t.Context(), PrepareOptions{Region: "East US"}, nil)
	if err != nil || got.Region != "eastus" {
		t.Fatalf("got %+v, %v", got, err)
	}
	if put := s.seen("PUT " + vnet + "-eastus"); len(put) != 1 || !strings.Contains(put[0].body, `"location":"eastus"`) {
		t.Errorf("wrote %+v", put)
	}
}

func TestPreflight(t *testing.T) {
	sizes := "GET " + compute + "/skus"
	some := map[string][]scripted{sizes: {says(200, values(`{"resourceType":"virtualMachines","name":"Standard_B2s","restrictions":[{"type":"Zone","reasonCode":"NotAvailableForSubscription"}]},
		{"resourceType":"virtualMachines","name":"Standard_D2s_v5","restrictions":[{"type":"Location","values":["westus"],"reasonCode":"NotAvailableForSubscription"}]},
		{"resourceType":"virtualMachines","name":"Standard_M1","capabilities":[{"name":"LowPriorityCapable","value":"False"}]},
		{"resourceType":"disks","name":"Standard_X99"}`))}}
	for name, c := range map[string]struct {
		routes map[string][]scripted
		spec   agent.MachineSpec
		kind   agent.Kind
		hint   string
	}{
		"all is there":           {some, agent.MachineSpec{}, "", ""},
		"an unknown size":        {some, agent.MachineSpec{Size: "Standard_X99"}, agent.KindUsage, "az vm list-skus --location westus"},
		"sizes cannot be listed": {map[string][]scripted{sizes: {refuses(403, "AuthorizationFailed", "…")}}, agent.MachineSpec{Size: "Standard_X99"}, "", ""},
		"not prepared":           {with(some, map[string][]scripted{"GET " + vnet: {notThere}}), agent.MachineSpec{}, agent.KindNotPrepared, "mngr azure prepare"},
		"not prepared there": {map[string][]scripted{"GET " + vnet + "-eastus": {notThere}, sizes: {says(200, emptyList)}},
			agent.MachineSpec{Region: "eastus"}, agent.KindNotPrepared, "mngr azure prepare --region eastus"},
		"no subnet":      {with(some, map[string][]scripted{"GET " + vnet: {says(200, `{`+ourTag+`}`)}}), agent.MachineSpec{}, agent.KindNotPrepared, "prepare"},
		"may not use it": {some, agent.MachineSpec{Size: "standard_d2S_v5"}, agent.KindNoCapacity, "fallback_vm_sizes"},
		"never Spot":     {some, agent.MachineSpec{Spot: true, Size: "Standard_M1"}, agent.KindUsage, "LowPriorityCapable"},
		"a Spot B-size":  {some, agent.MachineSpec{Spot: true, Size: "Standard_B2s"}, agent.KindUsage, "Standard_D2s_v5"},
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
