package agents

import (
	"slices"
	"strings"

	"mngr/internal/ctl"
)

// Place is where, and with what environment, a command for an agent runs.
type Place struct {
	Dir string
	Env []string
}

// Place finds the place of the agent with this id or name.
func (s *Supervisor) Place(name string) (Place, error) {
	ref := ctl.AgentRef{Name: name}
	if strings.HasPrefix(name, "agent-") && len(name) == len("agent-")+32 {
		ref = ctl.AgentRef{ID: name}
	}
	e, err := s.find(ref)
	if err != nil {
		return Place{}, err
	}
	rec := s.snapshot(e)
	return Place{Dir: s.workDir(rec.Spec.ID), Env: s.environ(&rec.Spec)}, nil
}

// environ is the whole environment of an agent's processes: the container's, the user's
// for this agent, and the agent's own variables.
func (s *Supervisor) environ(spec *ctl.AgentSpec) []string {
	env := slices.Clone(s.cfg.Environ)
	env = append(env, assignments(spec.Env)...)
	return append(env, assignments(s.ownVars(spec))...)
}

func (s *Supervisor) ownVars(spec *ctl.AgentSpec) map[string]string {
	return map[string]string{
		"MNGR_AGENT_ID":        spec.ID,
		"MNGR_AGENT_NAME":      spec.Name,
		"MNGR_AGENT_WORK_DIR":  s.workDir(spec.ID),
		"MNGR_AGENT_STATE_DIR": s.stateDir(spec.ID),
		"MNGR_HOST_DIR":        s.cfg.Root,
	}
}

func assignments(vars map[string]string) []string {
	list := make([]string, 0, len(vars))
	for k, v := range vars {
		list = append(list, k+"="+v)
	}
	slices.Sort(list)
	return list
}
