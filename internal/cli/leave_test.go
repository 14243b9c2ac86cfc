package cli

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"testing/synctest"

	"mngr/internal/agent"
	"mngr/internal/fleet"
	"mngr/internal/output"
)

func named(name, id string, state agent.HostState, agents ...agent.ID) agent.Host {
	h := agent.Host{Name: name, ID: agent.HostID(id), Resource: "/" + id, State: state}
	for _, a := range agents {
		h.Agents = append(h.Agents, agent.Record{ID: a})
	}
	return h
}

func rowsOf(h agent.Host) []fleet.Row {
	var rows []fleet.Row
	for _, a := range h.Agents {
		rows = append(rows, fleet.Row{Agent: a, Host: h})
	}
	return rows
}

// Who leaves at once is told which hosts may bill, and a command that means these and no
// others; what bills as before is no news.
func TestWhatIsLeftNamesItsHosts(t *testing.T) {
	one := named("one", "host-1", agent.HostStopped, "agent-1")
	two := named("two", "host-2", agent.HostRunning, "agent-2", "agent-3")
	for name, c := range map[string]struct {
		left  *agent.Error
		kind  agent.Kind
		cause string
		hint  string
	}{
		"start": {
			leftOfStart([][]fleet.Row{rowsOf(one), rowsOf(two)}), agent.KindRemains,
			"host one may have been started, and bills", "mngr stop @host-1 # ends",
		},
		"start on a host that runs": {
			leftOfStart([][]fleet.Row{rowsOf(two)}), agent.KindCanceled, "the agents may be started or not", "mngr list #",
		},
		"stop": {
			leftOfStop([][]fleet.Row{rowsOf(one), rowsOf(two)[:1]}, 0, fleet.StopOptions{}), agent.KindRemains,
			"hosts one, two may still be allocated, and bill", "mngr stop @host-1 agent-2 # goes on",
		},
		"stop of whole hosts": {
			leftOfStop([][]fleet.Row{{{Host: two}}}, 1, fleet.StopOptions{}), agent.KindRemains,
			"host two may still be allocated, and bills", "mngr stop @host-2 # goes on",
		},
		"stop that keeps the host": {
			leftOfStop([][]fleet.Row{rowsOf(two)}, 0, fleet.StopOptions{KeepHost: true}), agent.KindCanceled,
			"the agents may be stopped or not", "mngr list #",
		},
		"destroy": {
			leftOfDestroy(fleet.DestroyPlan{Hosts: []agent.Host{one}, Agents: rowsOf(two)[1:]}), agent.KindRemains,
			"host one may remain, and bills", "mngr destroy --force @host-1 agent-3 # goes on",
		},
		"destroy of an agent": {
			leftOfDestroy(fleet.DestroyPlan{Agents: rowsOf(two)[:1]}), agent.KindCanceled,
			"the agents may be half removed; their hosts stay", "mngr destroy --force agent-2 # goes on",
		},
		"gc": {
			leftOfGC(garbage(7)), agent.KindRemains,
			"what hosts left may remain, and bills: d, d, d, d, d and 2 more", "mngr gc --dry-run #",
		},
		"gc of what is free": {
			leftOfGC(garbage(0)), agent.KindCanceled, "what hosts left may remain, and bills nothing", "mngr gc --dry-run #",
		},
	} {
		if c.left.Kind != c.kind || c.left.Cause != c.cause || !strings.HasPrefix(c.left.Hint, c.hint) {
			t.Errorf("%s: %s: %s; hint %s", name, c.left.Kind, c.left.Cause, c.left.Hint)
		}
	}
	if left := leftOfDestroy(fleet.DestroyPlan{}); left != nil {
		t.Errorf("nothing to destroy leaves %v", left)
	}
}

// garbage is a list with so many disks and a role assignment.
func garbage(disks int) (list fleet.GarbageList) {
	for range disks {
		list.Items = append(list.Items, fleet.Garbage{Leftover: agent.Leftover{Kind: agent.LeftoverDisk, Name: "d"}})
	}
	list.Items = append(list.Items, fleet.Garbage{Leftover: agent.Leftover{Kind: agent.LeftoverRole, Name: "r"}})
	return list
}

// The last word is an error of the format, and nothing stands behind it, not even the line of
// a phase under way.
func TestLastWord(t *testing.T) {
	for format, check := range map[string]func(stdout, stderr string) bool{
		"human": func(_, stderr string) bool { return strings.HasSuffix(stderr, "Error: left\nhint: go on\n") },
		"json":  func(_, stderr string) bool { return isFailure(stderr) },
		"jsonl": func(stdout, _ string) bool { return isFailure(stdout) },
	} {
		synctest.Test(t, func(t *testing.T) {
			var out, shown bytes.Buffer
			app := newApp(output.Streams{Out: &out, Err: &shown, ErrTTY: true, Live: format == "human", Width: func() int { return 40 }})
			app.global.format = format
			g := app.printer().Progress()
			g.Phase("waiting")
			synctest.Wait() // the line is on the screen
			app.lastWord(agent.Errorf(agent.KindRemains, "left").WithHint("go on"))
			stdout, stderr := out.String(), shown.String()
			g.Done()
			if !check(stdout, stderr) {
				t.Errorf("%s: %q, %q", format, stdout, stderr)
			}
		})
	}
}

func isFailure(text string) bool {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	var said struct {
		Event string `json:"event"`
		output.Failure
	}
	err := json.Unmarshal([]byte(lines[len(lines)-1]), &said)
	return err == nil && said.Event == "error" && said.Class == "remains" && said.Message == "left" && said.Hint == "go on"
}

// A terminal that takes nothing (Ctrl-S, a reader that hangs) keeps nobody.
func TestTheLastWordWaitsForNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reader, wedged := io.Pipe()
		app := newApp(output.Streams{Out: io.Discard, Err: wedged})
		app.global.format = "human"
		app.printer()
		app.lastWord(agent.Errorf(agent.KindCanceled, "interrupted"))
		reader.Close() // ends the write, for the bubble
	})
}
