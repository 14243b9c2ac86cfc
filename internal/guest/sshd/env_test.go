package sshd

import (
	"strings"
	"testing"
)

func TestClientEnvironment(t *testing.T) {
	tests := []struct {
		name, value string
		ok          bool
	}{
		{"LANG", "de_DE.UTF-8", true},
		{"LC_ALL", "C", true},
		{"MNGR_AGENT", "my-agent", true},
		{"EDITOR", "vi", true},
		{"LD_PRELOAD", "/tmp/x.so", false},
		{"LD_LIBRARY_PATH", "/tmp", false},
		{"BASH_ENV", "/tmp/x", false},
		{"BASH_FUNC_ls", "() { :; }", false},
		{"PATH", "/tmp", false},
		{"MNGR_AGENT_ID", "x", false},
		{"A=B", "x", false},
		{"", "x", false},
		{"NUL", "a\x00b", false},
		{"BIG", strings.Repeat("x", maxClientBytes), false},
	}
	for _, tt := range tests {
		var e clientEnv
		if got := e.set(tt.name, tt.value); got != tt.ok {
			t.Errorf("%s=%.20s: got %v", tt.name, tt.value, got)
		}
		if tt.ok && e.get(tt.name) != tt.value {
			t.Errorf("%s: got %q", tt.name, e.get(tt.name))
		}
	}
}

func TestClientEnvironmentIsBounded(t *testing.T) {
	var e clientEnv
	n := 0
	for e.set("A", "b") {
		n++
	}
	if n != maxClientVars {
		t.Fatalf("took %d variables", n)
	}
}

func TestAgentVariableChoosesThePlace(t *testing.T) {
	h := newHost(t)
	got := h.ssh("-o", "SetEnv=MNGR_AGENT=known", "c", "pwd; echo $MNGR_AGENT_NAME")
	if got.stdout != h.dir+"\nknown\n" {
		t.Errorf("known: %+v", got)
	}
	got = h.ssh("-o", "SetEnv=MNGR_AGENT=nobody", "c", "echo ran")
	if got.status != statusNotRun || got.stdout != "" || !strings.Contains(got.stderr, `no agent "nobody"`) {
		t.Errorf("unknown: %+v", got)
	}
}

func TestRefusedVariableDoesNotArrive(t *testing.T) {
	h := newHost(t)
	got := h.ssh("-o", "SetEnv=LD_PRELOAD=/x GREETING=hi", "c", `echo "[$LD_PRELOAD][$GREETING]"`)
	if got.stdout != "[][hi]\n" {
		t.Fatalf("got %+v", got)
	}
}
