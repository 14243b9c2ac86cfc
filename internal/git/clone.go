package git

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"os/exec"
	"path/filepath"
	"strconv"
)

// Clone makes a repository in target that stands for itself: the current branch of the
// work tree at dir, or with a depth its last commits, without files and hooks, and with an
// index as after a checkout. The remote origin is dir's own, without user information.
func Clone(ctx context.Context, dir, target string, depth int) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	source := url.URL{Scheme: "file", Path: dir}
	args := []string{"-c", "core.hooksPath=/dev/null", "clone", "--quiet", "--no-checkout", "--single-branch", "--template="}
	if depth > 0 {
		args = append(args, "--depth", strconv.Itoa(depth))
	}
	if err := run(ctx, append(args, "--", source.String(), target)...); err != nil {
		return err
	}
	if err := run(ctx, "-C", target, "read-tree", "HEAD"); err != nil {
		return fmt.Errorf("%s has no commit: %w", dir, err)
	}
	origin, err := output(ctx, dir, "remote", "get-url", "origin")
	if err != nil || origin == "" {
		return run(ctx, "-C", target, "remote", "remove", "origin")
	}
	return run(ctx, "-C", target, "remote", "set-url", "origin", StripUser(origin))
}

func run(ctx context.Context, args ...string) error {
	var said bytes.Buffer
	command := exec.CommandContext(ctx, "git", args...)
	command.Stderr = &said
	if err := command.Run(); err != nil {
		return fmt.Errorf("git: %s: %w", lastLine(said.String()), err)
	}
	return nil
}
