package agents

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"mngr/internal/agent"
	"mngr/internal/ctl"
	"mngr/internal/guest/tmux"
)

// launchArg makes this test program the launcher that tmux starts.
const launchArg = "launch-for-test"

func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == launchArg {
		os.Exit(Launch(os.Args[2], os.Stderr))
	}
	goleak.VerifyTestMain(m)
}

// host is a supervisor on a tmux server of its own.
type host struct {
	*Supervisor
	t    *testing.T
	cfg  Config
	root string
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newHost(t *testing.T) *host {
	t.Helper()
	for _, tool := range []string{"tmux", "git"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("missing: %s", tool)
		}
	}
	root := t.TempDir()
	self, err := os.Executable()
	must(t, err)
	home := filepath.Join(root, "home")
	must(t, os.Mkdir(home, 0o700))
	env := []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "LANG=C.UTF-8", "GIT_CONFIG_NOSYSTEM=1"}
	h := &host{t: t, root: root, cfg: Config{
		Root: root, Launcher: []string{self, launchArg}, Environ: env,
		Tmux:  tmux.Client{Socket: filepath.Join(root, "tmux.sock"), Env: env},
		Grace: 3 * time.Second, Log: slog.New(slog.DiscardHandler),
		Created: func(string) {}, Started: func(string) {},
	}}
	h.reopen()
	t.Cleanup(func() { h.Shutdown(context.Background()) })
	return h
}

// reopen is what a restart of the container does to the supervisor.
func (h *host) reopen() {
	h.t.Helper()
	s, err := Open(h.cfg)
	must(h.t, err)
	h.Supervisor = s
}

// lineSpec is the spec of an agent that runs a shell line.
func lineSpec(name, line string) ctl.AgentSpec {
	return ctl.AgentSpec{
		ID: string(agent.NewID()), Name: name, Type: typeCommand, Argv: []string{"sh", "-c", line}, Start: true,
	}
}

func (h *host) create(spec ctl.AgentSpec) *ctl.AgentStatus {
	h.t.Helper()
	st, err := h.Create(h.t.Context(), spec)
	must(h.t, err)
	return st
}

// observe returns an agent as it is now, or nil.
func (h *host) observe(name string) *Observation {
	h.t.Helper()
	all, err := h.Observe(h.t.Context())
	must(h.t, err)
	for i := range all {
		if all[i].Name == name {
			return &all[i]
		}
	}
	return nil
}

func (h *host) awaitState(name string, want agent.State) *Observation {
	h.t.Helper()
	var o *Observation
	eventually(h.t, name+" is "+string(want), func() bool {
		o = h.observe(name)
		return o != nil && o.State == string(want)
	})
	return o
}

// awaitFile returns the content of a file in an agent's work directory, once it has some.
func (h *host) awaitFile(id, name string) string {
	h.t.Helper()
	var data []byte
	eventually(h.t, name+" is written", func() bool {
		data, _ = os.ReadFile(filepath.Join(h.workDir(id), name))
		return strings.HasSuffix(string(data), "\n")
	})
	return string(data)
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-deadline:
			t.Fatalf("never: %s", what)
		case <-tick.C:
		}
	}
}

func code(err error) string {
	e, ok := errors.AsType[*ctl.Error](err)
	if !ok {
		return ""
	}
	return e.Code
}
