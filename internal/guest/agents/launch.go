package agents

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"mngr/internal/agent/preset"
	"mngr/internal/guest/sshd"
)

// Exit statuses of Launch, as shells have them.
const (
	exitNotFound = 127
	exitFailed   = 1
)

// Launch is the process that tmux starts in an agent's window. It reads the record in
// stateDir, installs a coding agent that is missing, and becomes the agent: same process,
// argv as recorded, no shell in between. It returns only on failure, with an exit status.
func Launch(stateDir string, terminal io.Writer) int {
	status, err := launch(stateDir, terminal)
	fmt.Fprintf(terminal, "mngrd: %v\r\n", err)
	return status
}

func launch(stateDir string, terminal io.Writer) (int, error) {
	rec, err := loadRecord(stateDir)
	if err != nil {
		return exitFailed, err
	}
	root := filepath.Dir(filepath.Dir(stateDir))
	s := &Supervisor{cfg: Config{Root: root, Environ: os.Environ()}}
	env := s.environ(&rec.Spec)
	for _, kv := range env { // so that LookPath, and a later PATH in the same list, agree
		k, v, _ := strings.Cut(kv, "=")
		os.Setenv(k, v)
	}
	if err := os.Chdir(s.workDir(rec.Spec.ID)); err != nil {
		return exitFailed, fmt.Errorf("enter the work directory: %w", err)
	}
	if p, ok := preset.Lookup(rec.Spec.Type); ok {
		if err := install(p, terminal); err != nil {
			return exitFailed, err
		}
	}
	argv := command(rec)
	file, err := exec.LookPath(argv[0])
	if err != nil && !errors.Is(err, exec.ErrDot) {
		return exitNotFound, fmt.Errorf("start the agent: %w", err)
	}
	return exitFailed, fmt.Errorf("start %s: %w", file, syscall.Exec(file, argv, os.Environ()))
}

// command is the argv of the run that begins now.
func command(rec *record) []string {
	if rec.Spec.Type == typeShell {
		return []string{sshd.Shell(os.Getenv("PATH"))}
	}
	p, ok := preset.Lookup(rec.Spec.Type)
	switch {
	case !ok:
		return rec.Spec.Argv
	case rec.Starts > 1:
		return slices.Concat(p.Resume, rec.Spec.Argv)
	}
	return slices.Concat(p.Start, rec.Spec.Argv)
}

// packagesScript installs its arguments with whatever package manager the image has.
const packagesScript = `set -e
if command -v apt-get >/dev/null; then apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"
elif command -v apk >/dev/null; then apk add "$@"
elif command -v dnf >/dev/null; then dnf install -y "$@"
else echo "this image has no apt-get, apk or dnf to install $* with" >&2; exit 1
fi`

// install runs the preset's installation, all of it visible in the agent's window.
func install(p preset.Preset, terminal io.Writer) error {
	if _, err := exec.LookPath(p.Process); err == nil {
		return nil
	}
	fmt.Fprintf(terminal, "mngrd: installing %s\r\n", p.Name)
	missing := slices.DeleteFunc(slices.Clone(p.Needs), func(name string) bool {
		_, err := exec.LookPath(name)
		return err == nil
	})
	if len(missing) > 0 {
		if err := runShell(terminal, packagesScript, missing...); err != nil {
			return fmt.Errorf("install what %s needs: %w", p.Name, err)
		}
	}
	if err := runShell(terminal, p.Install); err != nil {
		return fmt.Errorf("install %s: %w", p.Name, err)
	}
	return nil
}

func runShell(terminal io.Writer, script string, args ...string) error {
	cmd := exec.Command("/bin/sh", append([]string{"-c", script, "sh"}, args...)...)
	cmd.Stdout, cmd.Stderr = terminal, terminal
	return cmd.Run()
}
