package chaos

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
)

// ledger holds what the docker part was to do and what it did against the list of what it
// has to: what nobody recorded would otherwise be missed by nobody. It is safe for
// concurrent use.
type ledger struct {
	mu      sync.Mutex
	planned map[string]bool   // "command: phase"
	struck  map[string][]blow // likewise
}

func newLedger() *ledger { return &ledger{planned: map[string]bool{}, struck: map[string][]blow{}} }

func (g *ledger) plan(command string, s step) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.planned[command+": "+s.phase] = true
}

func (g *ledger) strike(t trial) {
	g.mu.Lock()
	defer g.mu.Unlock()
	key := t.command + ": " + t.step.phase
	g.struck[key] = append(g.struck[key], t.blow)
}

// missing compares with a file. Its lines are "command: phase: blow, blow"; a phase with a
// question mark is there on a slow computer only, and a dash asks for no blow.
func (g *ledger) missing(file string) ([]string, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read what is to be struck: %w", err)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	var all []string
	known := map[string]bool{}
	for line := range strings.Lines(string(data)) {
		line, maybe := strings.CutPrefix(strings.TrimSpace(line), "? ")
		at := strings.LastIndex(line, ": ")
		if at < 0 {
			return nil, fmt.Errorf("%s: %q is not of the form command: phase: blows", file, line)
		}
		key := line[:at]
		known[key] = true
		if maybe && !g.planned[key] {
			continue
		}
		for _, b := range strings.Split(line[at+2:], ", ") {
			if b != "-" && !slices.Contains(g.struck[key], blow(b)) {
				all = append(all, fmt.Sprintf("%s was not %s", key, b))
			}
		}
	}
	for key := range g.planned {
		if !known[key] {
			all = append(all, fmt.Sprintf("%s is not in %s", key, file))
		}
	}
	slices.Sort(all)
	return all, nil
}
