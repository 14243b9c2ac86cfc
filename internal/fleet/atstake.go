package fleet

import "mngr/internal/agent"

// AtStake is what the end of the process would leave of a create, from just before the first
// write on. Names do not tell it: somebody else's agent or host may have the same.
type AtStake struct {
	Host  agent.Host
	Agent agent.ID // what is left is this agent, on a host that was there before; "" for the host
}

// stakes tells who asked for it what would be left; nil for nothing.
func (o CreateOptions) stakes(s *AtStake) {
	if o.AtStake != nil {
		o.AtStake(s)
	}
}
