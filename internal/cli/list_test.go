package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mngr/internal/agent"
	"mngr/internal/filter"
	"mngr/internal/fleet"
	"mngr/internal/output"
)

// The keys of a row are a contract: each stands in docs/cli.md.
func TestRowKeysAreDocumented(t *testing.T) {
	doc, err := os.ReadFile("../../docs/cli.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(doc), "## Rows of list")
	table, _, _ = strings.Cut(table, "\n## ")
	s := listSchema()
	for _, path := range s.Paths {
		if path == "host" || path == "host.ssh" {
			continue // said of its parts
		}
		if !strings.Contains(table, "`"+path+"`") {
			t.Errorf("docs/cli.md does not explain %s", path)
		}
	}
	for _, state := range []agent.HostState{
		agent.HostCreating, agent.HostStarting, agent.HostRunning, agent.HostStopping, agent.HostStopped, agent.HostStoppedBilling,
		agent.HostFailed, agent.HostEvicted, agent.HostDeleting, agent.HostUnreachable, agent.HostUnknown, agent.HostUnauthenticated,
	} {
		if !strings.Contains(table, string(state)) {
			t.Errorf("docs/cli.md does not name %s", state)
		}
	}
}

// What is wrong with a host is said once, with its remedy, also where no table is shown.
func TestAHostsTroubleIsSaidOnce(t *testing.T) {
	h := agent.Host{Name: "h", Via: "azure", Resource: "/vm/h", State: agent.HostUnauthenticated, Failure: "another host key"}
	silent := agent.Host{Name: "s", Via: "azure", Resource: "/vm/s", State: agent.HostUnreachable, Failure: "it is silent"}
	l := fleet.Listing{Hosts: []agent.Host{h, silent}, Errors: []fleet.ProviderError{
		{Provider: "azure", Host: "h", Err: agent.Errorf(agent.KindRefused, "another host key").WithHint("the remedy")},
	}}
	f := &fleet.Fleet{Guests: guests{ports: map[string]int{"azure": 2022}}, Now: func() time.Time { return time.Unix(1000, 0) }}
	for _, format := range []string{"human", "{name}"} {
		var out, err bytes.Buffer
		app := newApp(output.Streams{Out: &out, Err: &err})
		app.global.format = format
		s, bad := newSelection(listFlags{}, format)
		if bad == nil {
			bad = app.printListing(f, l, &s)
		}
		if text := err.String(); bad != nil || strings.Count(text, "another host key") != 1 || !strings.Contains(text, "the remedy") || (format == "human") != strings.Contains(text, "it is silent") {
			t.Errorf("%s: %v\n%s", format, bad, text)
		}
	}
}

func TestRowsOfHosts(t *testing.T) {
	f := &fleet.Fleet{Guests: guests{ports: map[string]int{"azure": 2022}}, Now: func() time.Time { return time.Unix(1000, 0) }}
	h := agent.Host{
		Name: "h", Provider: "azure", State: agent.HostRunning, CreatedAt: time.Unix(900, 0), Resource: "/vm/h",
		Idle:   &agent.Idle{Mode: "run", TimeoutSeconds: 600, SecondsLeft: new(250)},
		Tags:   map[string]string{"managed-by": "mngr", "MNGR-x": "y", "owner": "bob"},
		Agents: []agent.Record{{Name: "a"}},
	}
	alone := agent.Host{Name: "alone", State: agent.HostEvicted, Billing: agent.BillingStorage, Resource: "/vm/alone"}
	l := fleet.Listing{Hosts: []agent.Host{h, alone}, Rows: []fleet.Row{{Agent: h.Agents[0], State: agent.Waiting, Host: h}}}
	all, err := entries(f, l)
	if err != nil || len(all) != 2 {
		t.Fatal(all, err)
	}
	for path, want := range map[string]any{
		"name": "a", "age": int64(100), "idle": int64(350), "host.provider": "azure", "host.ssh.port": int64(2022),
		"host.idle.mode": "run", "host.idle.seconds_left": int64(250), "host.tags.owner": "bob", "host.tags.MNGR-x": nil, "runtime": nil,
	} {
		if diff := cmp.Diff(want, all[0].row.Get(path)); diff != "" {
			t.Errorf("%s: %s", path, diff)
		}
	}
	for flags, want := range map[string]string{
		"": "a alone", "running": "a", "stopped": "", "active": "a", "tag": "a",
		`cel:host.state == "EVICTED"`: "alone", `cel:idle > 300`: "a", `cel:host.billing == "storage" || name == "a"`: "a alone", `not:name == "a"`: "alone",
	} {
		var lf listFlags
		switch kind, text, _ := strings.Cut(flags, ":"); kind {
		case "cel":
			lf.include = []string{text}
		case "not":
			lf.exclude = []string{text}
		case "tag":
			lf.hostLabels = []string{"owner=alice", "owner=bob"}
		default:
			lf.running, lf.stopped, lf.active = flags == "running", flags == "stopped", flags == "active"
		}
		s, err := newSelection(lf, "human")
		if err != nil {
			t.Fatal(err)
		}
		wanted, err := s.pick(f, l, func(err error) { t.Error(err) })
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, e := range wanted {
			name := e.host.Name
			if e.data != nil {
				name = e.data.Name
			}
			names = append(names, name)
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("%s: %q, want %q", flags, got, want)
		}
	}
}

// What is being made, or could not be, is shown with its age: at 45 minutes gc may have it.
func TestUnfinishedHostsShowTheirAge(t *testing.T) {
	made := time.Unix(900, 0)
	for want, h := range map[string]agent.Host{
		"CREATING (52m old)":      {State: agent.HostCreating, CreatedAt: made},
		"FAILED (52m old)":        {State: agent.HostFailed, CreatedAt: made},
		"FAILED (52m old) UNSAFE": {State: agent.HostFailed, CreatedAt: made, Unsafe: true},
		"FAILED":                  {State: agent.HostFailed},
		"RUNNING":                 {State: agent.HostRunning, CreatedAt: made},
	} {
		if got := (entry{host: h}).forPeople(made.Add(52*time.Minute), "host.state", string(h.State)); got != want {
			t.Errorf("%s: %q", want, got)
		}
	}
}

func TestLabelArgs(t *testing.T) {
	for _, c := range []struct {
		args          []string
		names, remove []string
		set           map[string]string
	}{
		{[]string{"a", "k=v"}, []string{"a"}, nil, map[string]string{"k": "v"}},
		{[]string{"a", "b@h.p", "k=v=w", "l=", "m-", "n-o-"}, []string{"a", "b@h.p"}, []string{"m", "n-o"}, map[string]string{"k": "v=w", "l": ""}},
		{[]string{"a"}, []string{"a"}, nil, nil},
	} {
		names, change, err := labelArgs(c.args, nil, nil)
		if err != nil || !slices.Equal(names, c.names) || !slices.Equal(change.Remove, c.remove) || !cmp.Equal(change.Set, c.set) {
			t.Errorf("%q: %q, %+v, %v", c.args, names, change, err)
		}
	}
	for _, bad := range [][]string{{"k=v"}, {"a", "=v"}, {"a", "-"}, {"a", "k=v", "k-"}, {"a", "\x1b=v"}} {
		if _, _, err := labelArgs(bad, nil, nil); agent.KindOf(err) != agent.KindUsage {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// What stands in the schema can be asked for in each way.
func TestEverySchemaFieldWorks(t *testing.T) {
	c := filter.NewCompiler(listSchema())
	for _, path := range listSchema().Paths {
		if _, err := c.Compile(path + ` == "x"`); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		if _, err := newSelection(listFlags{fields: []string{path}, sort: path}, "human"); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// A host whose agents have no one idle mode has none to show.
func TestNoIdleModeIsNull(t *testing.T) {
	for mode, want := range map[string]string{"": `"mode":null`, "run": `"mode":"run"`} {
		h := agent.Host{Name: "h", Idle: &agent.Idle{Mode: mode, TimeoutSeconds: 60}}
		data, err := json.Marshal(newHostRow(&fleet.Fleet{Guests: guests{}, Now: time.Now}, h, fleet.Cost{}).Idle)
		if err != nil || !strings.Contains(string(data), want) {
			t.Errorf("%q: %s, %v", mode, data, err)
		}
	}
}
