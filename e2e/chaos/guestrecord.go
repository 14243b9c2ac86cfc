package chaos

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"mngr/e2e/rig"
)

// brief is by how much a blow may come later than the end of its phase: many last for a few
// milliseconds, and what goes on then goes on in the next.
const brief = 50 * time.Millisecond

// fell tells whether a blow fell in a step, for what is known once the command has ended.
func (s step) fell(at time.Time, all []moment) bool {
	if s.before != "" {
		n := indexOf(all, s.before)
		if n < 0 || at.Before(all[n].at.Add(-late)) {
			return false
		}
	}
	n := indexOf(all, s.phase)
	return n < 0 || at.Before(all[n].at.Add(brief)) // one that was killed does not say how its phase ended
}

// plainly is a phase without what differs from one machine to the next, or comes with time.
func plainly(phase string) string {
	phase, _, _ = strings.Cut(phase, ": ")
	return address.ReplaceAllString(phase, "the machine")
}

// record runs a command to which nothing happens, and returns its steps.
func (l *lane) record(ctx context.Context, args []string) ([]step, error) {
	mark, err := l.azure.Mark()
	if err != nil {
		return nil, err
	}
	p, err := l.who.Start(ctx, args...)
	if err != nil {
		return nil, err
	}
	trail := follow(p)
	if r := p.Wait(); r.Code != 0 {
		return nil, fmt.Errorf("record %v: %s", args, r)
	}
	opened, err := l.opened(mark)
	if err != nil {
		return nil, err
	}
	steps, err := stepsOf(trail.whole(), opened)
	if err == nil && len(steps) == 0 {
		err = errors.New("nothing was seen to go by SSH")
	}
	if err != nil {
		return nil, fmt.Errorf("record %v: %w", args, err)
	}
	return steps, nil
}

// plan says that something is to befall each step of a command.
func (l *lane) plan(command string, steps []step) {
	for _, s := range steps {
		l.table.Calls(command, s.name(), 1)
		l.ledger.plan(command, s)
	}
}

// name is a step as the table shows it.
func (s step) name() string {
	if s.port == "" {
		return "azure " + s.phase
	}
	return strings.TrimPrefix(s.port, "tcp:") + " " + s.phase
}

var address = regexp.MustCompile(`127\.[0-9]+\.[0-9]+\.[0-9]+`)

// opened counts the connections to each port of machines of the lane's group.
func (l *lane) opened(after rig.Mark) (map[string]int, error) {
	log, err := l.azure.Log(after)
	count := map[string]int{}
	in := "/resourcegroups/" + strings.ToLower(l.group) + "/"
	for _, e := range log {
		if e.Connection() && e.Ended == "" && strings.Contains(strings.ToLower(e.Resource), in) {
			count[e.Operation]++
		}
	}
	return count, err
}

// late is by how much a phase's end may be seen later than the next phase has begun.
const late = 20 * time.Millisecond
