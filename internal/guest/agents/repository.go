package agents

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"mngr/internal/ctl"
)

// initRepository makes dir a repository without hooks that takes a push to every branch,
// the checked-out one included. What is there already stays.
func (s *Supervisor) initRepository(ctx context.Context, dir string) error {
	_, err := s.gitIn(ctx, dir, "init", "--quiet", "--template=", ".")
	if err != nil {
		return fmt.Errorf("make a git repository: %w", err)
	}
	for _, kv := range [][2]string{{"receive.denyCurrentBranch", "ignore"}, {"core.hooksPath", os.DevNull}} {
		if _, err := s.gitIn(ctx, dir, "config", kv[0], kv[1]); err != nil {
			return fmt.Errorf("make a git repository: %w", err)
		}
	}
	return s.trust(ctx, dir)
}

// trust lists dir in git's safe.directory, for users of the container other than root.
func (s *Supervisor) trust(ctx context.Context, dir string) error {
	s.git.Lock()
	defer s.git.Unlock()
	out, err := s.gitIn(ctx, dir, "config", "--global", "--get-all", "safe.directory")
	if err == nil && strings.Contains("\n"+out, "\n"+dir+"\n") {
		return nil
	}
	if _, err := s.gitIn(ctx, dir, "config", "--global", "--add", "safe.directory", dir); err != nil {
		return fmt.Errorf("trust the work directory: %w", err)
	}
	return nil
}

// checkOut puts the work directory on the branch that the client wants, and makes the
// repository one to work in: pushes now move the files too, or are refused.
func (s *Supervisor) checkOut(ctx context.Context, dir string, g ctl.Git) error {
	if err := s.initRepository(ctx, dir); err != nil {
		return err
	}
	if _, err := s.gitIn(ctx, dir, "check-ref-format", "refs/heads/"+g.Branch); err != nil {
		return usage("%q is no branch name", g.Branch)
	}
	commit, err := s.gitIn(ctx, dir, "rev-parse", "--verify", "--quiet", "--end-of-options", g.Base+"^{commit}")
	if err != nil {
		return usage("%q is not in the work directory's repository: was it pushed?", g.Base)
	}
	if _, err := s.gitIn(ctx, dir, "checkout", "--quiet", "-f", "-B", g.Branch, strings.TrimSpace(commit), "--"); err != nil {
		return fmt.Errorf("check out %s: %w", g.Branch, err)
	}
	settings := [][2]string{
		{"user.name", g.UserName}, {"user.email", g.UserEmail},
		{"remote.origin.url", g.Origin}, {"remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*"},
		{"receive.denyCurrentBranch", "updateInstead"},
	}
	for _, kv := range settings {
		if kv[1] == "" || kv[0] == "remote.origin.fetch" && g.Origin == "" {
			continue
		}
		if _, err := s.gitIn(ctx, dir, "config", kv[0], kv[1]); err != nil {
			return fmt.Errorf("configure the repository: %w", err)
		}
	}
	if _, err := s.gitIn(ctx, dir, "config", "--unset", "core.hooksPath"); err != nil {
		return fmt.Errorf("configure the repository: %w", err)
	}
	return nil
}

// withoutUser takes user and password out of a URL, where tokens hide. The user of an
// ssh address is no secret and part of it; a password there goes.
func withoutUser(origin string) string {
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" || u.User == nil {
		return origin // also user@host:path, which is not a URL
	}
	if u.Scheme == "ssh" || u.Scheme == "git+ssh" {
		u.User = url.User(u.User.Username())
	} else {
		u.User = nil
	}
	return u.String()
}

// dropEmptyRepository undoes initRepository where nothing was pushed and nothing shall be.
func (s *Supervisor) dropEmptyRepository(ctx context.Context, dir string) error {
	if _, err := os.Lstat(filepath.Join(dir, ".git")); err != nil {
		return nil
	}
	refs, err := s.gitIn(ctx, dir, "for-each-ref", "--count=1")
	if err != nil || refs != "" {
		return nil
	}
	if err := os.RemoveAll(filepath.Join(dir, ".git")); err != nil {
		return fmt.Errorf("empty the work directory: %w", err)
	}
	return nil
}

// gitIn runs git on the repository in dir and nowhere above it, without hooks, whatever
// the image's own settings say.
func (s *Supervisor) gitIn(ctx context.Context, dir string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", append([]string{
		"-c", "core.hooksPath=" + os.DevNull, "-c", "core.fsmonitor=false", "-c", "safe.directory=" + dir, "-C", dir,
	}, args...)...)
	cmd.Env = append(s.cfg.Environ[:len(s.cfg.Environ):len(s.cfg.Environ)],
		"GIT_TERMINAL_PROMPT=0", "GIT_CEILING_DIRECTORIES="+filepath.Dir(dir))
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if errors.Is(err, exec.ErrNotFound) {
		return "", &ctl.Error{Code: ctl.CodeUnsupported, Message: "the image has no git"}
	}
	if err != nil {
		return "", fmt.Errorf("git %s: %s", args[0], cmp.Or(strings.TrimSpace(stderr.String()), err.Error()))
	}
	return string(out), nil
}

// branchOf reads the branch of a work directory without running git on it.
func branchOf(dir string) string {
	head, err := readSmall(filepath.Join(dir, ".git", "HEAD"), 4096)
	if err != nil {
		return ""
	}
	branch, ok := strings.CutPrefix(strings.TrimSpace(string(head)), "ref: refs/heads/")
	if !ok || strings.ContainsFunc(branch, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return ""
	}
	return branch
}
