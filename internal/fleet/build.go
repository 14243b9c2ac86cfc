package fleet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"mngr/internal/agent"
	"mngr/internal/ctl"
	"mngr/internal/dockerbuild"
	"mngr/internal/git"
)

// Build is a host's image that is built on its machine.
type Build struct {
	Spec dockerbuild.Spec

	Output func(line string)      `json:"-"` // is told what docker build says; nil drops it
	Sent   func(bytes, all int64) `json:"-"` // is told how far the context is; nil drops it
}

// same tells whether two creates ask for the same image; the values of secrets may differ.
func (b *Build) same(other *Build) bool {
	if b == nil || other == nil {
		return b == other
	}
	x, y := b.Spec, other.Spec
	return x.Context == y.Context && x.Dockerfile == y.Dockerfile && x.GitDepth == y.GitDepth && slices.Equal(x.Args, y.Args)
}

// build has the machine make the host's image, unless an earlier create did so.
func (f *Fleet) build(ctx context.Context, vm Guest, h agent.Host, b *Build, progress agent.Progress) (err error) {
	if b == nil {
		return nil
	}
	ctx, done := agent.Within(ctx, agent.DeadlineImage, "building the image on host "+h.Name)
	defer done(&err)
	request := ctl.Build{HostID: string(h.ID), Args: b.Spec.Args, Env: b.Spec.Env}
	for _, s := range b.Spec.Secrets {
		request.Secrets = append(request.Secrets, s.ID)
	}
	answer, err := call(ctx, vm, ctl.Request{Op: ctl.OpHostBuild, Build: &request}, progress)
	if err != nil {
		return err
	}
	if answer.Build != nil && answer.Build.Built {
		progress("taking the image that was built before")
		return nil
	}
	files, err := dockerbuild.Open(b.Spec)
	if err != nil {
		return err
	}
	gitDir, remove, err := cloneFor(ctx, files, b.Spec, progress)
	if err != nil {
		return err
	}
	defer remove()
	progress(fmt.Sprintf("sending the build context (%s)", files.Size()))
	request.Send = true
	return sendBuild(ctx, vm, request, files, gitDir, b, progress)
}

// cloneFor makes the repository that a built image gets: one that needs nothing of this
// machine's.
func cloneFor(ctx context.Context, files *dockerbuild.Context, spec dockerbuild.Spec, progress agent.Progress) (gitDir string, remove func(), err error) {
	if !files.NeedsClone {
		return "", func() {}, nil
	}
	progress("cloning the repository of the build context")
	dir, err := os.MkdirTemp("", "mngr-build-")
	if err != nil {
		return "", nil, fmt.Errorf("clone the repository of the build context: %w", err)
	}
	remove = func() { _ = os.RemoveAll(dir) }
	gitDir = filepath.Join(dir, "clone", ".git")
	ctx, done := agent.Within(ctx, agent.DeadlineTransfer, "cloning the repository of the build context")
	defer done(&err)
	if err := git.Clone(ctx, spec.Context, filepath.Dir(gitDir), spec.GitDepth); err != nil {
		remove()
		return "", nil, fmt.Errorf("clone the repository of the build context: %w", err)
	}
	return gitDir, remove, nil
}

func sendBuild(ctx context.Context, vm Guest, request ctl.Build, files *dockerbuild.Context, gitDir string, b *Build, progress agent.Progress) error {
	read, write := io.Pipe()
	packed := make(chan error, 1)
	go func() {
		err := files.WriteTo(ctx, write, gitDir, func(bytes int64) {
			if b.Sent != nil {
				b.Sent(bytes, files.Bytes)
			}
		})
		write.CloseWithError(err)
		packed <- err
	}()
	errs := &phases{report: progress, output: b.Output}
	answer, err := exchange(ctx, vm, ctl.Request{Op: ctl.OpHostBuild, Build: &request}, read, errs)
	read.CloseWithError(io.ErrClosedPipe)
	// What went wrong on this side is the reason for what the other side says.
	if packErr := <-packed; packErr != nil && ctx.Err() == nil && !errors.Is(packErr, io.ErrClosedPipe) {
		return fmt.Errorf("send the build context: %w", packErr)
	}
	if failed, ok := errors.AsType[*ctl.Error](err); ok && failed.Code == ctl.CodeBuild {
		return &agent.Error{Kind: agent.KindBuild, Cause: failed.Message, Err: failed,
			Hint: "the end of its output is above, and --keep-failed leaves the machine for a look"}
	}
	if err == nil && (answer.Build == nil || !answer.Build.Built) {
		err = errors.New("build the image: mngrd sent an empty answer")
	}
	return err
}
