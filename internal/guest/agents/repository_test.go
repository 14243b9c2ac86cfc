package agents

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"mngr/internal/ctl"
)

// pushed makes a repository with a tracked file and hooks that would tell of themselves,
// and pushes it to dir as branch main.
func pushed(t *testing.T, h *host, dir string) {
	t.Helper()
	src := filepath.Join(h.root, "src")
	h.shell(fmt.Sprintf(`set -e
git init -q -b main %[1]s; cd %[1]s
mkdir -p .githooks; printf '#!/bin/sh\ntouch %[3]s/hooked\n' > .githooks/post-checkout
cp .githooks/post-checkout .githooks/post-receive; chmod +x .githooks/*
echo one > file; git add .
git -c user.name=a -c user.email=a@b commit -qm first
git push -q %[2]s main`, src, dir, h.root))
}

func (h *host) shell(line string) string {
	h.t.Helper()
	cmd := exec.Command("sh", "-c", line)
	cmd.Env = h.cfg.Environ
	out, err := cmd.CombinedOutput()
	if err != nil {
		h.t.Fatalf("%s: %v\n%s", line, err, out)
	}
	return string(out)
}

func TestPushedBranchIsCheckedOut(t *testing.T) {
	h := newHost(t)
	spec := lineSpec("a", "exec sleep 1000")
	for range 2 { // preparing again changes nothing
		p, err := h.Prepare(t.Context(), ctl.AgentRef{ID: spec.ID, Name: "a"})
		must(t, err)
		if p.WorkDir != h.workDir(spec.ID) {
			t.Fatalf("got %q", p.WorkDir)
		}
	}
	dir := h.workDir(spec.ID)
	pushed(t, h, dir)
	h.shell("git config --global core.hooksPath .githooks") // an image may say so
	spec.Git = &ctl.Git{
		Base: "refs/heads/main", Branch: "mngr/a", Origin: "https://user:token@example.com/x.git",
		UserName: "Ann Other", UserEmail: "ann@example.com",
	}
	st := h.create(spec)
	if st.Branch != "mngr/a" {
		t.Errorf("branch %q", st.Branch)
	}
	got := h.shell("cd " + dir + "; git status --porcelain=v1 -b; cat file; git remote get-url origin; git config user.name; git config user.email")
	if want := "## mngr/a\none\nhttps://example.com/x.git\nAnn Other\nann@example.com\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if _, err := os.Stat(filepath.Join(h.root, "hooked")); err == nil {
		t.Error("a hook ran")
	}
	h.shell("cd " + dir + "; git checkout -q -b control") // control: now they do
	if _, err := os.Stat(filepath.Join(h.root, "hooked")); err != nil {
		t.Errorf("the hooks are no test: %v", err)
	}
	if secret := h.shell("grep -r token " + h.stateDir(spec.ID) + " " + dir + "/.git || true"); secret != "" {
		t.Errorf("the token is in %q", secret)
	}
}

func TestWithoutGitTheWorkDirectoryIsEmpty(t *testing.T) {
	h := newHost(t)
	spec := lineSpec("a", "exec sleep 1000")
	_, err := h.Prepare(t.Context(), ctl.AgentRef{ID: spec.ID})
	must(t, err)
	h.create(spec)
	if entries, _ := os.ReadDir(h.workDir(spec.ID)); len(entries) != 0 {
		t.Errorf("got %v", entries)
	}
}

func TestFailedCheckOutLeavesNoAgent(t *testing.T) {
	h := newHost(t)
	spec := lineSpec("a", "exec sleep 1000")
	_, err := h.Prepare(t.Context(), ctl.AgentRef{ID: spec.ID})
	must(t, err)
	pushed(t, h, h.workDir(spec.ID))
	for name, g := range map[string]ctl.Git{
		"base not pushed": {Base: "other", Branch: "a"},
		"base an option":  {Base: "--help", Branch: "a"},
		"branch invalid":  {Base: "main", Branch: "a..b"},
		"branch option":   {Base: "main", Branch: "-f"},
	} {
		spec.Git = &g
		if _, err := h.Create(t.Context(), spec); code(err) != ctl.CodeUsage {
			t.Errorf("%s: %v", name, err)
		}
		if h.observe("a") != nil {
			t.Errorf("%s: an agent is left", name)
		}
	}
	spec.Git = &ctl.Git{Base: "main", Branch: "a"} // control
	h.create(spec)
}

func TestOriginLosesItsUser(t *testing.T) {
	for in, want := range map[string]string{
		"https://ann:token@example.com/a/b.git": "https://example.com/a/b.git",
		"https://token@example.com/b":           "https://example.com/b",
		"https://example.com/b":                 "https://example.com/b",
		"ssh://git:pw@example.com:22/b":         "ssh://git@example.com:22/b",
		"git@example.com:a/b.git":               "git@example.com:a/b.git",
		"/srv/git/b":                            "/srv/git/b",
		"":                                      "",
	} {
		if got := withoutUser(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestHostileHeadIsNoBranch(t *testing.T) {
	dir := t.TempDir()
	git := filepath.Join(dir, ".git")
	must(t, os.Mkdir(git, 0o700))
	head := filepath.Join(git, "HEAD")
	for content, want := range map[string]string{
		"ref: refs/heads/a/b\n":         "a/b",
		"ref: refs/heads/\x1b[31mred\n": "",
		"0123456789\n":                  "",
		strings.Repeat("x", 1<<16):      "",
	} {
		must(t, os.WriteFile(head, []byte(content), 0o600))
		if got := branchOf(dir); got != want {
			t.Errorf("%.30q: got %q", content, got)
		}
	}
	must(t, os.Remove(head))
	must(t, os.Symlink("/etc/passwd", head))
	if got := branchOf(dir); got != "" {
		t.Errorf("a link: %q", got)
	}
	must(t, os.Remove(head))
	must(t, exec.Command("mkfifo", head).Run())
	if got := branchOf(dir); got != "" { // and does not wait for a writer
		t.Errorf("a FIFO: %q", got)
	}
}
