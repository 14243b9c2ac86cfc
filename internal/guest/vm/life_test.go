package vm

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mngr/internal/ctl"
)

// do sends one request and returns the answer with the phases that it went through.
func (h *host) do(t *testing.T, op string, setup *ctl.Setup) (ctl.Answer, string) {
	t.Helper()
	var progress strings.Builder
	answer := h.handle(t.Context(), ctl.Request{Version: ctl.Version, Op: op, Setup: setup}, strings.NewReader(""), &progress)
	return answer, progress.String()
}

// must is do for what has to work.
func (h *host) must(t *testing.T, op string, setup *ctl.Setup) (ctl.Answer, string) {
	t.Helper()
	answer, progress := h.do(t, op, setup)
	if answer.Error != nil {
		t.Fatalf("%s: %v\n%s\n%s", op, answer.Error, answer.Error.Detail, progress)
	}
	return answer, progress
}

// One container from its making through a crash and a stop to its end.
func TestLife(t *testing.T) {
	h := testHost(t)
	setup := setupOf(testImage(t, h, "complete", []string{"/bin/sh"}, complete), freePort(t))

	if answer, _ := h.must(t, ctl.OpHostStatus, nil); answer.Host.Configured || answer.Host.ContainerState != "absent" {
		t.Errorf("before setup: %+v", answer.Host)
	}
	first, progress := h.must(t, ctl.OpHostSetup, &setup)
	if !strings.Contains(progress, ctl.ProgressPrefix+"starting the container\n") {
		t.Errorf("phases: %q", progress)
	}
	if !strings.HasPrefix(first.Setup.ContainerHostKey, "ssh-ed25519 ") || len(first.Setup.Installed) > 0 {
		t.Errorf("setup: %+v", first.Setup)
	}
	eventually(t, "mngrd reports in", func() bool { return exists(h.inRun("reported")) })

	t.Run("again with another key", func(t *testing.T) {
		same := setup
		same.AuthorizedKeys = []string{testKey, strings.Replace(testKey, "me@", "you@", 1)}
		again, _ := h.must(t, ctl.OpHostSetup, &same)
		if diff := cmp.Diff(first.Setup, again.Setup); diff != "" {
			t.Error(diff)
		}
		keys, _ := os.ReadFile(h.guest("authorized_keys"))
		if strings.Count(string(keys), "\n") != 2 || !strings.Contains(string(keys), "you@laptop\n") {
			t.Errorf("authorized_keys: %q", keys)
		}
	})
	t.Run("refused", func(t *testing.T) {
		other := setup
		other.HostID = "host-ffffffffffffffffffffffffffffffff"
		expect(t, h, &other, ctl.CodeExists)
		other = setup
		other.StartArgs = []string{"--memory", "1g"}
		expect(t, h, &other, ctl.CodeExists)
	})
	t.Run("crash", func(t *testing.T) {
		before := startedAt(t, h)
		if _, err := docker(t.Context(), "kill", h.container); err != nil {
			t.Fatal(err)
		}
		eventually(t, "it runs again", func() bool { at := startedAt(t, h); return at != "" && at != before })
		if err := waitSSH(t.Context(), setup.SSHPort); err != nil {
			t.Error(err)
		}
	})
	t.Run("removed behind our back", func(t *testing.T) {
		if _, err := docker(t.Context(), "rm", "--force", h.container); err != nil {
			t.Fatal(err)
		}
		eventually(t, "it is made and runs again", func() bool {
			c, err := inspect(t.Context(), h.container)
			return err == nil && c != nil && c.State.Status == "running"
		})
		if err := waitSSH(t.Context(), setup.SSHPort); err != nil {
			t.Error(err)
		}
		again, _ := h.must(t, ctl.OpHostSetup, &setup)
		if again.Setup.ContainerHostKey != first.Setup.ContainerHostKey {
			t.Errorf("host key %q, was %q", again.Setup.ContainerHostKey, first.Setup.ContainerHostKey)
		}
	})
	t.Run("stop and start", func(t *testing.T) {
		h.must(t, ctl.OpHostStop, nil)
		if answer, _ := h.must(t, ctl.OpHostStatus, nil); answer.Host.ContainerState != "exited" || !answer.Host.Configured {
			t.Errorf("after stop: %+v", answer.Host)
		}
		if code, _ := docker(t.Context(), "inspect", "--format", "{{.State.ExitCode}}", h.container); code != "0" {
			t.Errorf("the container ended with %s: it was killed instead of asked", code)
		}
		h.must(t, ctl.OpHostSetup, &setup)
		if answer, _ := h.must(t, ctl.OpHostStatus, nil); answer.Host.ContainerState != "running" {
			t.Errorf("after setup: %+v", answer.Host)
		}
	})
}

func expect(t *testing.T, h *host, setup *ctl.Setup, code string) {
	t.Helper()
	answer, _ := h.do(t, ctl.OpHostSetup, setup)
	if answer.Error == nil || answer.Error.Code != code {
		t.Errorf("got %+v, want %s", answer.Error, code)
	}
}

// eventually waits for a condition; the deadline of the test binary is the only clock.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for !condition() {
		wait(t.Context(), 50*time.Millisecond)
		if t.Context().Err() != nil {
			t.Fatalf("never: %s", what)
		}
	}
}

func exists(path string) bool {
	_, err := os.Stat(filepath.Clean(path))
	return err == nil
}

func startedAt(t *testing.T, h *host) string {
	t.Helper()
	at, err := docker(t.Context(), "inspect", "--format", "{{.State.Running}} {{.State.StartedAt}}", h.container)
	if err != nil {
		t.Fatal(err)
	}
	running, at, _ := strings.Cut(at, " ")
	if running != "true" {
		return ""
	}
	return at
}
