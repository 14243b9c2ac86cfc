package fleet

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"mngr/internal/agent"
)

// createHost makes a host of the first candidate that the provider has capacity for. A
// machine that was accepted and failed for want of capacity has been undone by then.
// Nothing but capacity leads on to the next candidate: quota takes a person.
func (f *Fleet) createHost(ctx context.Context, inst Instance, o CreateOptions, progress agent.Progress) (Created, error) {
	candidates := inst.Candidates(agent.MachineSpec{Region: o.Region, Size: o.Size, Spot: o.Spot})
	var t trail
	for i, c := range candidates {
		if slices.Contains(t.unprepared, c.Region) {
			continue
		}
		try := o
		try.Region, try.Size = c.Region, c.Size
		made, err := f.attempt(ctx, inst, try, progress)
		kept := o.KeepFailed && made.Host.Resource != ""
		switch kind := agent.KindOf(err); {
		case err == nil:
			made.Warnings = append(t.skipped, made.Warnings...)
			return made, nil
		case kind == agent.KindNoCapacity && !kept:
			t.refused(c, err)
			if i+1 < len(candidates) {
				progress(t.refusals[len(t.refusals)-1] + ": trying " + next(c, candidates[i+1]))
			}
		case i > 0 && (kind == agent.KindNotPrepared || kind == agent.KindUsage) && made.Host.Resource == "":
			t.skip(c, err, progress)
		default:
			return made, t.before(err)
		}
	}
	return Created{}, t.end()
}

// next says how a candidate differs from the one before it.
func next(from, to agent.Candidate) string {
	if from.Region == to.Region {
		return to.Size
	}
	return to.Size + " in " + to.Region
}

// trail is what became of the candidates of one create.
type trail struct {
	refusals   []string // one for each machine that there was no capacity for
	last       error    // the last of them
	skipped    []string // warnings of candidates that cannot work as things are
	unprepared []string // regions
	remedy     string   // of the first that was skipped
}

func (t *trail) refused(c agent.Candidate, err error) {
	t.last = err
	text := c.Size + " has no capacity in " + c.Region
	if code := agent.CodeOf(err); code != "" {
		text += " (" + code + ")"
	}
	t.refusals = append(t.refusals, text)
}

func (t *trail) skip(c agent.Candidate, err error, progress agent.Progress) {
	text := fmt.Sprintf("fallback %s in %s is left out: %v", c.Size, c.Region, err)
	if agent.KindOf(err) == agent.KindNotPrepared {
		t.unprepared = append(t.unprepared, c.Region)
		text = fmt.Sprintf("fallback region %s is left out: %v", c.Region, err)
	}
	if hint := agent.HintOf(err); hint != "" {
		text += "; " + hint
		if t.remedy == "" {
			t.remedy = hint
		}
	}
	t.skipped = append(t.skipped, text)
	progress(text)
}

// before says of an error what was tried before it.
func (t *trail) before(err error) error {
	if len(t.refusals) == 0 {
		return err
	}
	return fmt.Errorf("%s; then %w", strings.Join(t.refusals, ", "), err)
}

// end is the error when no candidate is left.
func (t *trail) end() error {
	if len(t.refusals) == 1 && len(t.skipped) == 0 {
		return t.last
	}
	e := &agent.Error{Kind: agent.KindNoCapacity, Code: agent.CodeOf(t.last), Hint: agent.HintOf(t.last), Err: t.last,
		Cause: strings.Join(append(t.refusals, t.skipped...), "; ")}
	if t.remedy != "" {
		e.Hint = t.remedy
	}
	return e
}
