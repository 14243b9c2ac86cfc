package fleet

import (
	"context"
	"maps"

	"mngr/internal/agent"
)

// LabelChange sets some labels and removes others.
type LabelChange struct {
	Set    map[string]string
	Remove []string // absent ones are fine
}

// Check refuses what cannot be a label.
func (c LabelChange) Check() error {
	for _, key := range c.Remove {
		if _, both := c.Set[key]; both {
			return agent.Errorf(agent.KindUsage, "label %q is both set and removed", key)
		}
	}
	return agent.CheckLabels(c.Set)
}

// Labelled is what became of the agents of one host.
type Labelled struct {
	Agents  []agent.Record // with the labels that they have now
	Warning string
}

// Label changes the labels of agents that share a host, whether it runs or not.
func (f *Fleet) Label(ctx context.Context, rows []Row, change LabelChange, progress agent.Progress) (Labelled, error) {
	var ids []agent.ID
	for _, r := range rows {
		ids = append(ids, r.Agent.ID)
	}
	after, warning, err := f.editAgents(ctx, rows[0].Host, ids, func(r *agent.Record) {
		labels := maps.Clone(r.Labels)
		if labels == nil {
			labels = map[string]string{}
		}
		maps.Copy(labels, change.Set)
		for _, key := range change.Remove {
			delete(labels, key)
		}
		r.Labels = labels
	}, progress)
	if err != nil {
		return Labelled{}, err
	}
	out := Labelled{Warning: warning}
	for _, id := range ids {
		out.Agents = append(out.Agents, after[id])
	}
	return out, nil
}
