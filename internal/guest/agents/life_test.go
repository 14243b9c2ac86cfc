package agents

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"mngr/internal/agent"
	"mngr/internal/ctl"
)

func TestCommandRunsAsArgvInItsPlace(t *testing.T) {
	h := newHost(t)
	spec := lineSpec("a", "")
	spec.Argv = []string{"sh", "-c", `printf '%s\n' "$0" "$1" "$PWD" "$GREETING" "$MNGR_AGENT_ID" "$MNGR_AGENT_NAME" "$MNGR_HOST_DIR" > out; exec sleep 1000`, "$(x) 'q'", "two words; #"}
	spec.Env = map[string]string{"GREETING": "a b"}
	st := h.create(spec)
	if st.State != string(agent.Running) || st.PID == 0 || st.WorkDir != h.workDir(spec.ID) {
		t.Errorf("got %+v", st)
	}
	want := strings.Join([]string{"$(x) 'q'", "two words; #", st.WorkDir, "a b", spec.ID, "a", h.root, ""}, "\n")
	if got := h.awaitFile(spec.ID, "out"); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	eventually(t, "the recorded process is the command itself", func() bool {
		comm, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", st.PID))
		return string(comm) == "sleep\n"
	})
	info, err := os.Stat(filepath.Join(h.stateDir(spec.ID), recordFile))
	must(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("the record has mode %v", info.Mode())
	}
}

func TestEndedAgentIsDoneWithItsStatus(t *testing.T) {
	h := newHost(t)
	tests := []struct {
		name, line string
		status     int
	}{
		{"good", "true", 0},
		{"bad", "exit 7", 7},
		{"killed", "kill -KILL $$", 128 + 9},
		{"missing", "", 127},
	}
	for _, tt := range tests {
		spec := lineSpec(tt.name, tt.line)
		if tt.line == "" {
			spec.Argv = []string{"no-such-program"}
		}
		h.create(spec)
		o := h.awaitState(tt.name, agent.Done)
		if o.ExitCode == nil || *o.ExitCode != tt.status || o.PID != 0 {
			t.Errorf("%s: got %+v", tt.name, o.AgentStatus)
		}
	}
}

// A pane that vanished before tmux was told to keep it would look like a stop.
func TestShortestAgentIsStillSeenToEnd(t *testing.T) {
	h := newHost(t)
	for i := range 20 {
		name := fmt.Sprintf("a%d", i)
		h.create(lineSpec(name, "exit 3"))
		if o := h.awaitState(name, agent.Done); o.ExitCode == nil || *o.ExitCode != 3 {
			t.Fatalf("got %+v", o.AgentStatus)
		}
	}
}

func TestStopEndsEveryProcess(t *testing.T) {
	h := newHost(t)
	other := h.create(lineSpec("other", "exec sleep 1000"))
	spec := lineSpec("a", `
(setsid sh -c 'trap "" TERM HUP; echo $$ > daemon; while :; do sleep 0.1; done' &)
env -u MNGR_AGENT_ID sleep 1001 & echo $! > child
trap '' TERM; echo $$ > main; while :; do sleep 0.1; done`)
	h.cfg.Grace /= 10
	h.reopen()
	h.create(spec)
	var pids []int
	for _, file := range []string{"daemon", "child", "main"} {
		var pid int
		_, err := fmt.Sscan(h.awaitFile(spec.ID, file), &pid)
		must(t, err)
		pids = append(pids, pid)
	}
	st, err := h.Stop(t.Context(), ctl.AgentRef{Name: "a"})
	must(t, err)
	if st.State != string(agent.Stopped) || st.PID != 0 {
		t.Errorf("got %+v", st)
	}
	for _, pid := range pids {
		if alive(pid) {
			t.Errorf("process %d lives", pid)
		}
	}
	if !alive(other.PID) {
		t.Error("another agent's process ended too")
	}
	if _, err := h.Stop(t.Context(), ctl.AgentRef{Name: "a"}); err != nil {
		t.Errorf("a second stop: %v", err)
	}
}

func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !strings.Contains(string(stat), ") Z ")
}

func TestAgentMayCleanUpBeforeItEnds(t *testing.T) {
	h := newHost(t)
	spec := lineSpec("a", `trap 'echo bye > out; exit' TERM; echo x > ready; while :; do sleep 0.05; done`)
	h.create(spec)
	h.awaitFile(spec.ID, "ready")
	_, err := h.Stop(t.Context(), ctl.AgentRef{ID: spec.ID})
	must(t, err)
	if got := h.awaitFile(spec.ID, "out"); got != "bye\n" {
		t.Errorf("got %q", got)
	}
}

func TestStartIsIdempotentAndRunsAgain(t *testing.T) {
	h := newHost(t)
	first := h.create(lineSpec("a", "exec sleep 1000"))
	ref := ctl.AgentRef{Name: "a"}
	again, err := h.Start(t.Context(), ref)
	must(t, err)
	if again.PID != first.PID {
		t.Errorf("a second start: %d, then %d", first.PID, again.PID)
	}
	must(t, syscall.Kill(first.PID, syscall.SIGKILL))
	h.awaitState("a", agent.Done)
	again, err = h.Start(t.Context(), ref)
	must(t, err)
	if again.State != string(agent.Running) || again.PID == first.PID || again.ExitCode != nil {
		t.Errorf("after its end: %+v", again)
	}
}

func TestOnlyRunningAgentsComeBackAfterARestart(t *testing.T) {
	h := newHost(t)
	h.create(lineSpec("runs", "exec sleep 1000"))
	h.create(lineSpec("done", "exit 4"))
	h.awaitState("done", agent.Done)
	h.create(lineSpec("stopped", "exec sleep 1000"))
	_, err := h.Stop(t.Context(), ctl.AgentRef{Name: "stopped"})
	must(t, err)
	never := lineSpec("never", "exec sleep 1000")
	never.Start = false
	h.create(never)

	h.Shutdown(t.Context())
	if panes, _ := h.cfg.Tmux.Panes(t.Context()); len(panes) != 0 {
		t.Fatalf("after shutdown: %v", panes)
	}
	if _, err := h.Start(t.Context(), ctl.AgentRef{Name: "stopped"}); err == nil {
		t.Error("an agent was started during the shutdown")
	}
	h.reopen()
	h.Restore(t.Context())
	for name, want := range map[string]agent.State{
		"runs": agent.Running, "done": agent.Done, "stopped": agent.Stopped, "never": agent.Stopped,
	} {
		if o := h.observe(name); o.State != string(want) {
			t.Errorf("%s is %s, want %s", name, o.State, want)
		}
	}
	if o := h.observe("done"); o.ExitCode == nil || *o.ExitCode != 4 {
		t.Errorf("the status is forgotten: %+v", o.AgentStatus)
	}
}

// The supervisor's own restart, with tmux alive, changes no agent.
func TestRestoreLeavesLivingAgentsAlone(t *testing.T) {
	h := newHost(t)
	before := h.create(lineSpec("a", "exec sleep 1000"))
	ended := h.create(lineSpec("b", "exec sleep 1000"))
	must(t, syscall.Kill(ended.PID, syscall.SIGTERM))
	eventually(t, "b has ended", func() bool { return !alive(ended.PID) })
	h.reopen()
	h.Restore(t.Context())
	if o := h.observe("a"); o.PID != before.PID {
		t.Errorf("was %d, is %+v", before.PID, o.AgentStatus)
	}
	h.awaitState("b", agent.Done)
}

func TestEndedSessionIsAStop(t *testing.T) {
	h := newHost(t)
	h.create(lineSpec("a", "exec sleep 1000"))
	must(t, h.cfg.Tmux.Kill(t.Context(), session("a")))
	h.awaitState("a", agent.Stopped)
}

func TestNamesAreExact(t *testing.T) {
	h := newHost(t)
	long := h.create(lineSpec("abc", "exec sleep 1000"))
	h.create(lineSpec("ab", "exec sleep 1000"))
	_, err := h.Stop(t.Context(), ctl.AgentRef{Name: "ab"})
	must(t, err)
	if o := h.observe("abc"); o.PID != long.PID || !alive(long.PID) {
		t.Errorf("got %+v", o.AgentStatus)
	}
}

func TestRemoveLeavesNothing(t *testing.T) {
	h := newHost(t)
	st := h.create(lineSpec("a", "exec sleep 1000"))
	ref := ctl.AgentRef{ID: st.ID, Name: "a"}
	must(t, h.Remove(t.Context(), ref))
	for _, dir := range []string{h.workDir(st.ID), h.stateDir(st.ID)} {
		if _, err := os.Stat(dir); !os.IsNotExist(err) {
			t.Errorf("%s: %v", dir, err)
		}
	}
	if alive(st.PID) || h.observe("a") != nil {
		t.Error("the agent lives")
	}
	must(t, h.Remove(t.Context(), ref))
	_, err := h.Start(t.Context(), ref)
	if code(err) != ctl.CodeNotFound {
		t.Errorf("start after remove: %v", err)
	}
}

func TestNameIsTakenOnce(t *testing.T) {
	h := newHost(t)
	spec := lineSpec("a", "exec sleep 1000")
	first := h.create(spec)
	if again := h.create(spec); again.PID != first.PID {
		t.Errorf("the same request made another: %+v", again)
	}
	if _, err := h.Create(t.Context(), lineSpec("a", "true")); code(err) != ctl.CodeExists {
		t.Errorf("got %v", err)
	}
}

// Of two creates that make one agent at once, each with a request of its own, one does.
func TestAgentIsMadeByOneRequest(t *testing.T) {
	h := newHost(t)
	spec := lineSpec("a", "exec sleep 1000")
	spec.Request = "1"
	first := h.create(spec)
	if again := h.create(spec); again.PID != first.PID {
		t.Errorf("the same request made another: %+v", again)
	}
	other := spec
	other.Request = "2"
	if _, err := h.Create(t.Context(), other); code(err) != ctl.CodeExists {
		t.Errorf("another request: %v", err)
	}
	other.Request = ""
	if any := h.create(other); any.PID != first.PID {
		t.Errorf("who takes what there is got another: %+v", any)
	}
}

func TestShellWaitsAtItsPrompt(t *testing.T) {
	h := newHost(t)
	spec := ctl.AgentSpec{ID: string(agent.NewID()), Name: "sh", Type: typeShell, Start: true}
	h.create(spec)
	h.awaitState("sh", agent.Waiting)
	typed := exec.Command("tmux", "-S", h.cfg.Tmux.Socket, "send-keys", "-t", "=mngr-sh:", "sleep 1000", "Enter")
	must(t, typed.Run())
	h.awaitState("sh", agent.Running)
	_, err := h.Stop(context.Background(), ctl.AgentRef{Name: "sh"})
	must(t, err)
}

// What the launcher says stays in the history of a pane that has died, however quickly: it
// is all that tells why a program could not be run.
func TestWhatCannotBeRunSaysSoInItsPane(t *testing.T) {
	h := newHost(t)
	for i := range 5 {
		spec := lineSpec(fmt.Sprintf("a%d", i), "")
		spec.Argv = []string{"/nonexistent"}
		h.create(spec)
		h.awaitState(spec.Name, agent.Done)
		cmd := exec.CommandContext(t.Context(), "tmux", "-S", h.cfg.Tmux.Socket, "capture-pane", "-p", "-J", "-S", "-40", "-t", "=mngr-"+spec.Name+":=agent")
		out, err := cmd.Output()
		if err != nil || !strings.Contains(string(out), "mngrd: start the agent: exec: \"/nonexistent\": ") || !strings.Contains(string(out), "no such file") {
			t.Fatalf("the pane shows %q, %v", out, err)
		}
	}
}
