package git

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"time"

	"mngr/internal/agent"
)

// ErrNoRepository says that a directory lies outside of every work tree.
var ErrNoRepository = errors.New("not in a git repository")

// Repository is a work tree as a new agent needs it.
type Repository struct {
	Root      string // of the work tree
	Branch    string // current branch; "" when HEAD is detached
	Commit    string // of HEAD; "" before the first commit
	Origin    string // URL of the remote origin without user information; may be ""
	UserName  string
	UserEmail string
	Changed   int // files that differ from HEAD, untracked ones included
}

// Open inspects the repository around dir.
func Open(ctx context.Context, dir string) (found Repository, err error) {
	ctx, done := agent.Within(ctx, agent.DeadlineRepository, "looking at the repository around "+dir)
	defer done(&err)
	root, err := output(ctx, dir, "rev-parse", "--show-toplevel")
	if ctx.Err() != nil {
		return Repository{}, ctx.Err()
	}
	if err != nil || root == "" {
		return Repository{}, ErrNoRepository
	}
	r := Repository{Root: root}
	// Each of these may be unset, which git reports as a failure.
	r.Branch, _ = output(ctx, root, "symbolic-ref", "--quiet", "--short", "HEAD")
	r.Commit, _ = output(ctx, root, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")
	origin, _ := output(ctx, root, "remote", "get-url", "origin")
	r.Origin = StripUser(origin)
	r.UserName, _ = output(ctx, root, "config", "user.name")
	r.UserEmail, _ = output(ctx, root, "config", "user.email")
	status, err := output(ctx, root, "status", "--porcelain")
	if err != nil {
		return Repository{}, fmt.Errorf("look for changes in %s: %w", root, err)
	}
	if status != "" {
		r.Changed = strings.Count(status, "\n") + 1
	}
	return r, nil
}

// Push sends commit to branch on url. No hook of the repository runs, and sshCommand is
// the only way out (GIT_SSH_COMMAND in git(1)).
func (r Repository) Push(ctx context.Context, sshCommand, url, branch string) error {
	cmd := exec.CommandContext(ctx, "git", "-C", r.Root, "-c", "core.hooksPath=/dev/null", "-c", "push.recurseSubmodules=no",
		"push", "--quiet", "--no-verify", "--force", url, r.Commit+":refs/heads/"+branch)
	cmd.Env = append(os.Environ(), "GIT_SSH_COMMAND="+sshCommand, "GIT_TERMINAL_PROMPT=0", "GIT_LFS_SKIP_PUSH=1")
	cmd.WaitDelay = time.Duration(agent.DeadlineChild) // the ssh child may hold the pipe for longer than git lives
	errs := &tail{}                                    // what the other side says comes out of a container
	cmd.Stderr = errs
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("git push: %s: %w", causeOf(string(errs.kept)), err)
	}
	return nil
}

func output(ctx context.Context, dir string, args ...string) (string, error) {
	out, err := exec.CommandContext(ctx, "git", append([]string{"-C", dir}, args...)...).Output()
	return strings.TrimRight(string(out), "\n"), err
}

// causeOf is what git says of a failure: its last line, and where that is its advice about
// access rights, what ssh had said before.
func causeOf(said string) string {
	before, _, remote := strings.Cut(said, "fatal: Could not read from remote repository.")
	switch ssh := strings.TrimSpace(before); {
	case !remote:
		return lastLine(said)
	case ssh == "":
		return "the connection ended before the other side had answered"
	default:
		return lastLine(ssh)
	}
}

// tail keeps the end of what is written to it.
type tail struct{ kept []byte }

// mostTail is far more than a last line needs.
const mostTail = 16 << 10

func (t *tail) Write(b []byte) (int, error) {
	t.kept = append(t.kept, b[max(0, len(b)-mostTail):]...)
	t.kept = t.kept[max(0, len(t.kept)-mostTail):]
	return len(b), nil
}

func lastLine(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return lines[len(lines)-1]
}

// StripUser removes a user name and a password, or a token, from a remote's URL, and its
// query, where some servers take a token.
func StripUser(remote string) string {
	scheme, rest, isURL := strings.Cut(remote, "://")
	if !isURL {
		if i := strings.Index(remote, "@"); i >= 0 && !strings.ContainsAny(remote[:i], "/:") {
			return remote[i+1:] // scp-like: user@host:path
		}
		return remote
	}
	u, err := url.Parse(remote)
	if err != nil { // such as a percent sign in a password, with which git lives
		rest, _, _ = strings.Cut(rest, "?")
		return scheme + "://" + rest[strings.LastIndex(rest, "@")+1:]
	}
	u.User, u.RawQuery = nil, ""
	return u.String()
}
