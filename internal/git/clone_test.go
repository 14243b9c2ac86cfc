package git

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A work tree's .git only points to the main repository; its clone needs nothing of it.
func TestCloneOfWorkTree(t *testing.T) {
	base := t.TempDir()
	source, tree := filepath.Join(base, "a%20b c"), filepath.Join(base, "tree")
	if err := os.Mkdir(source, 0o755); err != nil {
		t.Fatal(err)
	}
	runGit(t, source, "init", "-q", "-b", "main")
	runGit(t, source, "remote", "add", "origin", "https://user:token@example.com/x.git")
	for _, n := range []string{"1", "2", "3"} {
		if err := os.WriteFile(filepath.Join(source, "f"), []byte(n), 0o644); err != nil {
			t.Fatal(err)
		}
		runGit(t, source, "add", "f")
		runGit(t, source, "commit", "-qm", n)
	}
	runGit(t, source, "worktree", "add", "-q", "-b", "topic", tree)

	for name, test := range map[string]struct {
		from    string
		depth   int
		branch  string
		commits string
	}{
		"whole":   {tree, 0, "topic", "3"},
		"shallow": {tree, 2, "topic", "2"},
		"main":    {source, 1, "main", "1"},
	} {
		target := filepath.Join(base, name)
		if err := Clone(t.Context(), test.from, target, test.depth); err != nil {
			t.Fatal(err)
		}
		if entries, err := os.ReadDir(target); err != nil || len(entries) != 1 || entries[0].Name() != ".git" {
			t.Errorf("%s: holds %v, %v", name, entries, err)
		}
		if err := os.WriteFile(filepath.Join(target, "f"), []byte("edited"), 0o644); err != nil {
			t.Fatal(err)
		}
		for want, args := range map[string][]string{
			test.branch:                 {"symbolic-ref", "--short", "HEAD"},
			test.commits:                {"rev-list", "--count", "HEAD"},
			"M f":                       {"status", "--porcelain"}, // trimmed
			"https://example.com/x.git": {"remote", "get-url", "origin"},
		} {
			if got := runGit(t, target, args...); got != want {
				t.Errorf("%s: git %v: %q, want %q", name, args, got, want)
			}
		}
		found, err := filepath.Glob(filepath.Join(target, ".git", "hooks", "*"))
		if err != nil || len(found) > 0 {
			t.Errorf("%s: hooks %v", name, found)
		}
		config, err := os.ReadFile(filepath.Join(target, ".git", "config"))
		if err != nil || strings.Contains(string(config), base) {
			t.Errorf("%s: the configuration names this machine: %s", name, config)
		}
	}
}

func TestCloneWithoutCommit(t *testing.T) {
	source := t.TempDir()
	runGit(t, source, "init", "-q")
	err := Clone(t.Context(), source, filepath.Join(t.TempDir(), "x"), 1)
	if err == nil || !strings.Contains(err.Error(), "has no commit") {
		t.Errorf("got %v", err)
	}
}
