package config

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the tables of docs/azure.md")

// TestReferencePage keeps the tables of the users' page as the code has them; `go test
// ./internal/config -run TestReferencePage -update` writes them.
func TestReferencePage(t *testing.T) {
	const begin, end = "<!-- settings:begin -->\n", "<!-- settings:end -->"
	path := filepath.Join("..", "..", "docs", "azure.md")
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
	want := before + begin + "\n" + referenceMarkdown() + "\n" + end + after
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if page != want {
		t.Errorf("%s is stale: go test ./internal/config -run TestReferencePage -update", path)
	}
}

// TestReferenceIsWhole: every key is described, and its variable is read.
func TestReferenceIsWhole(t *testing.T) {
	for _, e := range Reference() {
		if e.About == "" || strings.HasSuffix(e.About, ".") || e.Type == "" || strings.Contains(e.About, "\n") {
			t.Errorf("%+v", e)
		}
		key := strings.Replace(e.Key, "providers.NAME.", "providers.azure.", 1)
		d, ok := Describe(key)
		if !ok || d.About != e.About {
			t.Errorf("Describe(%s) = %+v, %v", key, d, ok)
		}
		opts, _ := world(t)
		opts.Environ = []string{d.Env + "=\x00"}
		_, err := Load(opts)
		if err != nil && strings.Contains(err.Error(), "no such key") {
			t.Errorf("%s is not read: %v", d.Env, err)
		}
		for _, word := range Words(key) {
			opts.Environ = []string{d.Env + "=" + word}
			if _, err := Load(opts); err != nil {
				t.Errorf("%s=%s: %v", d.Env, word, err)
			}
		}
	}
}

// referenceMarkdown is Reference as the tables of docs/azure.md.
func referenceMarkdown() string {
	var b strings.Builder
	table := func(title string, prefix string, keep func(string) bool) {
		fmt.Fprintf(&b, "%s\n\n| key | type | default | meaning | variable |\n|---|---|---|---|---|\n", title)
		for _, e := range Reference() {
			if keep(e.Key) {
				fmt.Fprintf(&b, "| `%s` | %s | `%s` | %s | `%s` |\n",
					strings.TrimPrefix(e.Key, prefix), e.Type, e.Default, strings.ReplaceAll(e.About, "|", "\\|"), e.Env)
			}
		}
		b.WriteString("\n")
	}
	instance := "providers." + anyInstance + "."
	table("In a table `[providers.NAME]`, one for each provider instance. In the name of a variable, NAME is in capitals and its hyphens are underscores: `AZURE_WEST`.",
		instance, func(key string) bool { return strings.HasPrefix(key, instance) })
	table("Outside these tables:", "", func(key string) bool { return !strings.HasPrefix(key, instance) })
	return strings.TrimSuffix(b.String(), "\n")
}
