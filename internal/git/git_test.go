package git

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func runGit(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", append([]string{"-C", dir, "-c", "user.name=U", "-c", "user.email=u@example.com"}, args...)...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

func TestPushRunsNoHook(t *testing.T) {
	source, target := t.TempDir(), t.TempDir()
	runGit(t, source, "init", "-q", "-b", "topic")
	runGit(t, source, "remote", "add", "origin", "https://user:token@example.com/x.git")
	if err := os.WriteFile(filepath.Join(source, "f"), []byte("1"), 0o644); err != nil {
		t.Fatal(err)
	}
	runGit(t, source, "add", "f")
	runGit(t, source, "commit", "-qm", "one")
	witness := filepath.Join(t.TempDir(), "hook-ran")
	hook := filepath.Join(source, ".git", "hooks", "pre-push")
	if err := os.WriteFile(hook, []byte("#!/bin/sh\ntouch "+witness+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	runGit(t, target, "init", "-q", "--bare")

	r, err := Open(t.Context(), source)
	if err != nil {
		t.Fatal(err)
	}
	if r.Branch != "topic" || r.Origin != "https://example.com/x.git" || r.Changed != 0 {
		t.Errorf("repository = %+v", r)
	}
	if err := r.Push(t.Context(), "false", target, "mine"); err != nil {
		t.Fatal(err)
	}
	if got := runGit(t, target, "rev-parse", "refs/heads/mine"); got != r.Commit {
		t.Errorf("pushed %s, want %s", got, r.Commit)
	}
	if _, err := os.Stat(witness); err == nil {
		t.Error("the pre-push hook ran")
	}
	// The control: the same hook does run when git is left alone.
	runGit(t, source, "push", "-q", target, "topic:other")
	if _, err := os.Stat(witness); err != nil {
		t.Error("the hook of the control did not run")
	}
}

func TestOpenOutside(t *testing.T) {
	if _, err := Open(t.Context(), t.TempDir()); !errors.Is(err, ErrNoRepository) {
		t.Errorf("Open = %v, want ErrNoRepository", err)
	}
}

func TestOpenBeforeTheFirstCommit(t *testing.T) {
	dir := t.TempDir()
	runGit(t, dir, "init", "-q", "-b", "main")
	r, err := Open(t.Context(), dir)
	if err != nil || r.Commit != "" || r.Branch != "main" {
		t.Errorf("Open = %+v, %v", r, err)
	}
}

func TestStripUser(t *testing.T) {
	for in, want := range map[string]string{
		"https://u:p@example.com/a.git":    "https://example.com/a.git",
		"https://token@example.com/a.git":  "https://example.com/a.git",
		"https://u:p%ss@example.com/a.git": "https://example.com/a.git",
		"https://u:p@ss@example.com/a.git": "https://example.com/a.git",
		"https://u:p%ss@e.com/a.git?x=@":   "https://e.com/a.git",
		"https://example.com/a?token=abc":  "https://example.com/a",
		"https://example.com/@scope/a.git": "https://example.com/@scope/a.git",
		"git@example.com:a/b.git":          "example.com:a/b.git",
		"ssh://git@example.com:22/a.git":   "ssh://example.com:22/a.git",
		"/srv/a.git":                       "/srv/a.git",
		"/srv/a@b.git":                     "/srv/a@b.git",
		"":                                 "",
	} {
		if got := StripUser(in); got != want {
			t.Errorf("StripUser(%q) = %q, want %q", in, got, want)
		}
	}
}

// What a server says while it takes a push is the container's, which may talk for ever.
func TestTailIsBounded(t *testing.T) {
	said := &tail{}
	for range 100 {
		if n, err := said.Write(make([]byte, 10_000)); n != 10_000 || err != nil {
			t.Fatalf("Write = %d, %v", n, err)
		}
	}
	_, _ = said.Write([]byte("\nthe end\n"))
	if len(said.kept) > mostTail || lastLine(string(said.kept)) != "the end" {
		t.Errorf("kept %d bytes, last line %q", len(said.kept), lastLine(string(said.kept)))
	}
}
