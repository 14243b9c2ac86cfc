package permission

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the tables of docs/azure.md")

// TestPage keeps the tables of the users' page as the command prints the roles; `go test
// ./internal/azure/permission -run TestPage -update` writes them.
func TestPage(t *testing.T) {
	const begin, end = "<!-- permissions:begin -->\n", "<!-- permissions:end -->"
	path := filepath.Join("..", "..", "..", "docs", "azure.md")
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	page := string(raw)
	before, rest, ok := strings.Cut(page, begin)
	_, after, closed := strings.Cut(rest, end)
	if !ok || !closed {
		t.Fatalf("%s lacks the marks %q and %q", path, begin, end)
	}
	want := before + begin + tables() + "\n" + end + after
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if page != want {
		t.Errorf("%s is stale: go test ./internal/azure/permission -run TestPage -update", path)
	}
}

// tables are the parts as docs/azure.md has them.
func tables() string {
	var b strings.Builder
	for _, p := range Parts() {
		where := "the subscription"
		if p.AtGroup {
			where = "the resource group"
		}
		fmt.Fprintf(&b, "\n`%s`, at %s: %s.\n\n| action | for | without it |\n|---|---|---|\n", p.Name, where, p.About)
		for _, one := range p.Permissions {
			action := "`" + one.Action + "`"
			switch {
			case one.roles:
				action += " ¹"
			case one.when == own:
				action += " ²"
			case one.when == existing:
				action += " ³"
			}
			fmt.Fprintf(&b, "| %s | %s | %s |\n", action, strings.Join(one.For, ", "), one.Without)
		}
	}
	return b.String()
}

// TestParts: what every list must fulfil.
func TestParts(t *testing.T) {
	for _, p := range Parts() {
		if got, ok := Find(p.Name); !ok || got.About != p.About {
			t.Errorf("%s is not found", p.Name)
		}
		seen := map[string]bool{}
		for _, one := range p.Permissions {
			if seen[strings.ToLower(one.Action)] || strings.Contains(one.Action, "*") || len(one.For) == 0 || one.Without == "" {
				t.Errorf("%s: %+v", p.Name, one)
			}
			seen[strings.ToLower(one.Action)] = true
		}
	}
	if _, ok := Find("nothing"); ok {
		t.Error("a part of no name is found")
	}
}

// TestOptions: what the options leave out, and nothing else.
func TestOptions(t *testing.T) {
	at := Place{Subscription: "12345678-1234-1234-1234-123456789abc", ResourceGroup: "g"}
	for _, p := range Parts() {
		whole := p.Role(at, Options{})
		without := p.Role(at, Options{WithoutRoles: true})
		for _, action := range whole.Actions {
			about := strings.HasPrefix(action, "Microsoft.Authorization/") || action == "Microsoft.Resources/subscriptions/resources/read"
			if about == slices.Contains(without.Actions, action) {
				t.Errorf("%s without roles: %s", p.Name, action)
			}
		}
		in := p.Role(at, Options{UseExistingGroup: true})
		if group := strings.HasSuffix(in.AssignableScopes[0], "/resourceGroups/g"); group != (p.Name != Lookups) {
			t.Errorf("%s in an existing group: %v", p.Name, in.AssignableScopes)
		}
		for _, action := range in.Actions {
			if strings.HasSuffix(action, "/register/action") || strings.HasSuffix(action, "resourceGroups/write") || strings.HasSuffix(action, "resourceGroups/delete") {
				t.Errorf("%s in an existing group: %s", p.Name, action)
			}
		}
	}
}
