package guest

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mngr/internal/agent"
	"mngr/internal/ctl"
)

func (c *container) newAgent(name, line string) *ctl.AgentStatus {
	c.t.Helper()
	a := c.ctl(ctl.Request{Op: ctl.OpAgentCreate, Agent: &ctl.AgentSpec{
		ID: string(agent.NewID()), Name: name, Type: "command", Argv: []string{"sh", "-c", line}, Start: true,
	}})
	if a.Error != nil {
		c.t.Fatalf("create %s: %+v", name, a)
	}
	return a.Agent
}

func (c *container) agent(name string) ctl.AgentStatus {
	c.t.Helper()
	a := c.ctl(ctl.Request{Op: ctl.OpStatus})
	if a.Error != nil {
		c.t.Fatalf("status: %v", a.Error)
	}
	for _, st := range a.Container.Agents {
		if st.Name == name {
			return st
		}
	}
	c.t.Fatalf("no agent %s in %+v", name, a.Container)
	return ctl.AgentStatus{}
}

// worker is the process id of the worker. The brackets keep the pattern from matching
// the command that looks for it.
func (c *container) worker() string {
	c.t.Helper()
	pattern := strings.Replace(verbWorker, "-", "[-]", 1)
	pids := strings.Fields(c.ssh("grep -l '" + pattern + "' /proc/[0-9]*/cmdline | cut -d/ -f3"))
	if len(pids) != 1 {
		c.t.Fatalf("workers: %q", pids)
	}
	return pids[0]
}

// One container lives through everything that happens to a host.
func TestContainerLife(t *testing.T) {
	c := newContainer(t)
	stubborn := c.newAgent("stubborn", "trap '' TERM HUP; while :; do sleep 0.2; done")
	c.newAgent("ends", "exit 4")

	t.Run("orphans are collected", func(t *testing.T) {
		c.t = t
		c.ssh("for i in 1 2 3 4 5; do (setsid sh -c 'exit 3' &) ; done")
		eventually(t, "no zombie is left", func() bool {
			return c.ssh("grep -l '^State:.Z' /proc/[0-9]*/status 2>/dev/null | wc -l") == "0\n"
		})
	})
	t.Run("a killed worker comes back and its agents live on", func(t *testing.T) {
		c.t = t
		worker := c.worker()
		c.docker("exec", c.name, "sh", "-c", "kill -KILL "+worker)
		c.awaitSSH()
		if now := c.worker(); now == worker {
			t.Errorf("the worker was not killed")
		}
		if st := c.agent("stubborn"); st.PID != stubborn.PID || st.State != string(agent.Running) {
			t.Errorf("got %+v", st)
		}
	})
	t.Run("a stop is orderly and in time", func(t *testing.T) {
		c.t = t
		c.ssh("sync; echo kept > /mngr/kept")
		c.docker("stop", c.name)
		if code := c.docker("inspect", "-f", "{{.State.ExitCode}}", c.name); code != "0\n" {
			t.Errorf("exit code %s", code)
		}
	})
	t.Run("a start brings back what ran", func(t *testing.T) {
		c.t = t
		c.docker("start", c.name)
		c.awaitSSH()
		if got := c.ssh("cat /mngr/kept"); got != "kept\n" {
			t.Errorf("got %q", got)
		}
		if st := c.agent("stubborn"); st.State != string(agent.Running) {
			t.Errorf("got %+v", st)
		}
		if st := c.agent("ends"); st.State != string(agent.Done) || st.ExitCode == nil || *st.ExitCode != 4 {
			t.Errorf("got %+v", st)
		}
	})
	t.Run("an idle host says so", func(t *testing.T) {
		c.t = t
		sentinel := filepath.Join(c.dir, "signal", "idle")
		c.configure(1)
		if a := c.ctl(ctl.Request{Op: ctl.OpStatus}); a.Container.ActivityName != "process" || a.Container.IdleTimeout != 1 {
			t.Errorf("while an agent runs: %+v", a.Container)
		}
		c.ctl(ctl.Request{Op: ctl.OpAgentStop, Ref: &ctl.AgentRef{Name: "stubborn"}})
		eventually(t, "the sentinel is written", func() bool { _, err := os.Stat(sentinel); return err == nil })
		data, err := os.ReadFile(sentinel)
		if err != nil || !json.Valid(data) || !strings.Contains(string(data), `"reason":"idle"`) {
			t.Errorf("got %s, %v", data, err)
		}
	})
	t.Run("what it does not know it refuses", func(t *testing.T) {
		c.t = t
		for _, op := range []string{"agent.explode", "", ctl.OpAgentStart} {
			if a := c.ctl(ctl.Request{Op: op}); a.Error == nil || a.Error.Code == "" {
				t.Errorf("%q: %+v", op, a)
			}
		}
	})
}

func TestMissingEnvironment(t *testing.T) {
	set := map[string]string{"PATH": "/opt/bin:/bin", "HOME": "/home/x", "LC_ALL": "C", "TERM": "dumb"}
	got := fmt.Sprint(missingEnv(func(k string) string { return set[k] }))
	if want := "[USER=root LOGNAME=root PATH=/opt/bin:/bin:/home/x/.local/bin]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	got = fmt.Sprint(missingEnv(func(string) string { return "" }))
	if want := "[USER=root LOGNAME=root HOME=/root PATH=" + defaultPath + ":/root/.local/bin LANG=C.UTF-8 TERM=xterm-256color]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
