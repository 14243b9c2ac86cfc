package cli

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"mngr/internal/azure"
	"mngr/internal/journal"
	"mngr/internal/output"
)

// The keys are a contract: they may be added to, and never go.
func TestKeysOfEvents(t *testing.T) {
	text, err := json.Marshal(eventList{Events: []journal.Entry{{}}})
	if err != nil {
		t.Fatal(err)
	}
	var list struct{ Events []map[string]any }
	if err := json.Unmarshal(text, &list); err != nil || !strings.Contains(string(text), `"unreadable_lines":0`) {
		t.Fatalf("%v: %s", err, text)
	}
	want := []string{
		"app_id", "attempt", "client_request_id", "command", "correlation_id", "duration_ms", "error", "error_code", "method", "operation",
		"operator_host", "operator_user", "pid", "principal_id", "principal_name", "provider_name", "request_id", "resource_id", "state", "status",
		"subscription_id", "targets", "tenant_id", "time",
	}
	if got := slices.Sorted(maps.Keys(list.Events[0])); !slices.Equal(got, want) {
		t.Errorf("keys %q, want %q", got, want)
	}
}

// Of a command line the names stay, and none of the values.
func TestWhatIsNotedOfACommand(t *testing.T) {
	const secret = "s3cr3t"
	for _, c := range []struct{ line, command, targets string }{
		{"create a --env T=" + secret + " --label k=" + secret + " -- sh -c " + secret, "mngr create --env --label", "a"},
		{"exec a b.azure@h " + secret, "mngr exec", "a"},
		{"exec a " + secret, "mngr exec", "a"},
		{"exec a -- " + secret + " x", "mngr exec", "a"},
		{"label a b@c k=" + secret + " gone-", "mngr label", "a b@c"},
		{"destroy --force @h.azure a", "mngr destroy --force", "@h.azure a"},
		{"stop -q @h", "mngr stop --quiet", "@h"},
	} {
		root := newRoot(newApp(output.Streams{}), &cobra.Command{Use: "local"})
		cmd, rest, err := root.Find(strings.Fields(c.line))
		if err == nil {
			err = cmd.ParseFlags(rest)
		}
		if err != nil {
			t.Fatal(err)
		}
		got := invoked(cmd, cmd.Flags().Args())
		if got.line != c.command || strings.Join(got.targets, " ") != c.targets {
			t.Errorf("%s: noted %q of %q, want %q of %q", c.line, got.line, got.targets, c.command, c.targets)
		}
	}
}

func TestFilterOfEvents(t *testing.T) {
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	entry := journal.Entry{
		Time: now.Add(-time.Hour), State: journal.Answered, Status: 201, Provider: "azure", Targets: []string{"a@h"},
		Resource: "/x/virtualMachines/" + strings.ToUpper(azure.MachineName("other")) + "/providers/y",
	}
	for _, c := range []struct {
		flags   eventFlags
		targets string
		want    bool
	}{
		{eventFlags{}, "", true},
		{eventFlags{since: "2h"}, "", true},
		{eventFlags{since: "30m"}, "", false},
		{eventFlags{since: "2026-05-01T11:00:00Z"}, "", true},
		{eventFlags{failed: true}, "", false},
		{eventFlags{provider: "azure"}, "", true},
		{eventFlags{provider: "work"}, "", false},
		{eventFlags{}, "a", true},
		{eventFlags{}, "b a", true},
		{eventFlags{}, "b", false},
		{eventFlags{}, "@other", true},
		{eventFlags{}, "other", true},
		{eventFlags{}, "x@other.azure", true},
		{eventFlags{}, "@another", false},
	} {
		keep, err := c.flags.filter(strings.Fields(c.targets), now)
		if err != nil || keep(entry) != c.want {
			t.Errorf("%+v %q: kept %v, %v", c.flags, c.targets, !c.want, err)
		}
	}
	for _, f := range []eventFlags{{since: "soon"}, {since: "-1h"}, {limit: -1}} {
		if _, err := f.filter(nil, now); err == nil {
			t.Errorf("%+v is taken", f)
		}
	}
	for in, want := range map[string]string{
		"/subscriptions/s/resourceGroups/g": "g",
		"/subscriptions/s/resourceGroups/g/providers/C/virtualMachines/v/providers/A/roleAssignments/r": "v/r",
		"/subscriptions/s/providers/Microsoft.Compute":                                                  "Microsoft.Compute",
		"": "",
	} {
		if got := resourceName(in); got != want {
			t.Errorf("%q is called %q, want %q", in, got, want)
		}
	}
}
