package agents

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mngr/internal/agent"
	"mngr/internal/ctl"
)

func TestHostileRequestsAreRefused(t *testing.T) {
	good := func() ctl.AgentSpec { return lineSpec("a-B_1", "true") }
	if spec := good(); checkSpec(&spec) != nil { // control
		t.Fatal(checkSpec(&spec))
	}
	for name, spoil := range map[string]func(*ctl.AgentSpec){
		"id a path":            func(s *ctl.AgentSpec) { s.ID = "../../etc" },
		"id short":             func(s *ctl.AgentSpec) { s.ID = s.ID[:20] },
		"name empty":           func(s *ctl.AgentSpec) { s.Name = "" },
		"name of tmux":         func(s *ctl.AgentSpec) { s.Name = "a:0.1" },
		"name with a newline":  func(s *ctl.AgentSpec) { s.Name = "a\n" },
		"name long":            func(s *ctl.AgentSpec) { s.Name = strings.Repeat("a", 64) },
		"name ends with -":     func(s *ctl.AgentSpec) { s.Name = "a-" },
		"no command":           func(s *ctl.AgentSpec) { s.Argv = nil },
		"empty program":        func(s *ctl.AgentSpec) { s.Argv = []string{""} },
		"NUL in the command":   func(s *ctl.AgentSpec) { s.Argv = []string{"a\x00"} },
		"shell with a command": func(s *ctl.AgentSpec) { s.Type = typeShell },
		"unknown type":         func(s *ctl.AgentSpec) { s.Type = "clippy" },
		"bad variable":         func(s *ctl.AgentSpec) { s.Env = map[string]string{"A=B": "c"} },
		"NUL in a variable":    func(s *ctl.AgentSpec) { s.Env = map[string]string{"A": "\x00"} },
		"unknown idle mode":    func(s *ctl.AgentSpec) { s.IdleMode = "sleepy" },
		"git without a base":   func(s *ctl.AgentSpec) { s.Git = &ctl.Git{Branch: "a"} },
		"git origin an option": func(s *ctl.AgentSpec) { s.Git = &ctl.Git{Base: "a", Branch: "b", Origin: "--upload-pack=x"} },
		"git user two lines":   func(s *ctl.AgentSpec) { s.Git = &ctl.Git{Base: "a", Branch: "b", UserName: "x\n[core]"} },
	} {
		spec := good()
		spoil(&spec)
		if err := checkSpec(&spec); code(err) != ctl.CodeUsage {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSpoiledRecordsAreLeftOut(t *testing.T) {
	h := newHost(t)
	good := h.create(lineSpec("good", "exec sleep 1000"))
	for _, content := range []string{
		"", "{", `{"version":99}`, `{"version":1,"spec":{"id":"../x","name":"a"}}`,
		strings.Repeat(" ", maxRecord+1),
	} {
		dir := h.stateDir(string(agent.NewID()))
		must(t, os.Mkdir(dir, 0o700))
		must(t, os.WriteFile(filepath.Join(dir, recordFile), []byte(content), 0o600))
	}
	stolen := h.stateDir(string(agent.NewID())) // a record that is another agent's
	must(t, os.Mkdir(stolen, 0o700))
	data, err := os.ReadFile(filepath.Join(h.stateDir(good.ID), recordFile))
	must(t, err)
	must(t, os.WriteFile(filepath.Join(stolen, recordFile), data, 0o600))
	h.reopen()
	all, err := h.Observe(t.Context())
	must(t, err)
	if len(all) != 1 || all[0].ID != good.ID {
		t.Fatalf("got %+v", all)
	}
}

func TestMissingToolsAreNamed(t *testing.T) {
	h := newHost(t)
	spec := lineSpec("a", "true")
	t.Setenv("PATH", t.TempDir())
	if _, err := h.Create(t.Context(), spec); code(err) != ctl.CodeUnsupported || !strings.Contains(err.Error(), "tmux") {
		t.Errorf("got %v", err)
	}
	if _, err := h.Prepare(t.Context(), ctl.AgentRef{ID: spec.ID}); code(err) != ctl.CodeUnsupported || !strings.Contains(err.Error(), "git") {
		t.Errorf("got %v", err)
	}
}

// The fallback for a full disk, which has room for what was there.
func TestRecordIsOverwrittenInPlace(t *testing.T) {
	path := filepath.Join(t.TempDir(), recordFile)
	must(t, os.WriteFile(path, []byte("a longer content"), 0o600))
	must(t, overwrite(path, []byte("short")))
	if data, _ := os.ReadFile(path); string(data) != "short" {
		t.Fatalf("got %q", data)
	}
}

func TestPlaceOfAnAgent(t *testing.T) {
	h := newHost(t)
	st := h.create(lineSpec("a", "exec sleep 1000"))
	for _, name := range []string{"a", st.ID} {
		p, err := h.Place(name)
		if err != nil || p.Dir != st.WorkDir || !strings.Contains(strings.Join(p.Env, "\n"), "\nMNGR_AGENT_ID="+st.ID) {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
	}
	for _, name := range []string{"b", string(agent.NewID()), "../a", "a "} {
		if _, err := h.Place(name); err == nil {
			t.Errorf("%q has a place", name)
		}
	}
}
