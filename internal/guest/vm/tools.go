package vm

import (
	"bufio"
	"context"
	_ "embed"
	"fmt"
	"io"
	"slices"
	"strings"

	"mngr/internal/agent"
	"mngr/internal/ctl"
	"mngr/internal/plain"
)

//go:embed tools.sh
var toolsScript string

// noManager is tools.sh's exit code for an image without a package manager.
const noManager = 90

// needed are the tools that tools.sh may report: anything else comes from a hostile image.
var needed = []string{"tmux", "git", "rsync", "ca-certificates"}

// completeImage returns an image like the one asked for that has all tools: the image
// itself, or a layer on it that is made once for each image id.
func (h *host) completeImage(ctx context.Context, image string, phase func(string)) (complete string, installed []string, err error) {
	id, err := h.pull(ctx, image, phase)
	if err != nil {
		return "", nil, err
	}
	layer := h.tools + ":" + strings.TrimPrefix(id, "sha256:")[:32]
	if cached, err := imageID(ctx, layer); err != nil || cached != "" {
		return layer, nil, err
	}
	phase("checking the tools of " + image)
	trial := h.container + "-tools"
	_, _ = docker(ctx, "rm", "--force", trial) // of a setup that was killed
	defer func() { _, _ = docker(context.WithoutCancel(ctx), "rm", "--force", trial) }()
	_, err = docker(ctx, "create", "--name", trial, "--user", "0", "--entrypoint", "sh", id, "-c", toolsScript)
	if err != nil {
		return "", nil, err
	}
	installed, err = h.installTools(ctx, trial, image, phase)
	if err != nil || len(installed) == 0 {
		return image, nil, err
	}
	phase("keeping the image with its tools")
	_, err = docker(ctx, "commit", "--message", "mngr: "+strings.Join(installed, " "), trial, layer)
	return layer, installed, err
}

// pull gets an image unless it is here.
func (h *host) pull(ctx context.Context, image string, phase func(string)) (id string, err error) {
	if id, err = imageID(ctx, image); err != nil || id != "" {
		return id, err
	}
	if ctl.IsBuiltImage(image) {
		return "", &ctl.Error{Code: ctl.CodeNotFound, Message: "the image that was built for this host is not on its machine any more"}
	}
	phase("pulling " + image)
	if _, err := docker(ctx, "pull", "--quiet", image); err != nil {
		return "", fmt.Errorf("get image %s: %w", image, err)
	}
	if id, err = imageID(ctx, image); err == nil && id == "" {
		err = fmt.Errorf("image %s is not there after it was pulled", image)
	}
	return id, err
}

// installTools runs tools.sh in the container trial.
func (h *host) installTools(ctx context.Context, trial, image string, phase func(string)) (installed []string, err error) {
	ctx, done := agent.Within(ctx, agent.DeadlineContainer, "installing what the image lacks")
	defer done(&err)
	read, write := io.Pipe()
	found := make(chan []string, 1)
	go func() { found <- readMissing(read, phase) }()
	err = dockerTo(ctx, write, "start", "--attach", trial)
	write.Close()
	missing := <-found
	said := stderrOf(err)
	switch {
	case err == nil:
		return missing, nil
	case exitCode(err) == noManager:
		return nil, &ctl.Error{
			Code:    ctl.CodeUnsupported,
			Message: fmt.Sprintf("image %s lacks %s and has none of apt-get, apk, dnf to install them", image, strings.Join(missing, ", ")),
		}
	case strings.Contains(said, `exec: "sh"`): // runc's words
		return nil, &ctl.Error{
			Code:    ctl.CodeUnsupported,
			Message: fmt.Sprintf("image %s has no shell; mngr needs sh, %s in it", image, strings.Join(needed, ", ")),
		}
	case len(missing) > 0 && ctx.Err() == nil:
		return nil, &ctl.Error{
			Code:    ctl.CodeFailed,
			Message: fmt.Sprintf("install %s in image %s: %v", strings.Join(missing, ", "), image, err),
			Detail:  lastLines(said, 12),
		}
	}
	return nil, fmt.Errorf("look for tools in image %s: %w", image, err)
}

// readMissing reads what tools.sh reports, whatever else an image prints, to the end.
func readMissing(from io.Reader, phase func(string)) (missing []string) {
	lines := bufio.NewScanner(io.LimitReader(from, maxOutput))
	for lines.Scan() {
		word, rest, _ := strings.Cut(lines.Text(), " ")
		switch word {
		case "mngr:missing":
			for _, tool := range needed {
				if slices.Contains(strings.Fields(rest), tool) && !slices.Contains(missing, tool) {
					missing = append(missing, tool)
				}
			}
		case "mngr:manager":
			phase("installing " + strings.Join(missing, ", ") + " with " + plain.Line(rest, 20))
		}
	}
	_, _ = io.Copy(io.Discard, from)
	return missing
}
