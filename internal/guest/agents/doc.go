// Package agents is the supervisor of the container's agents: it makes their work
// directories, runs them in tmux sessions, says what they do, ends them, and starts those
// again that ran when the container went down.
//
// An agent's record is <root>/agents/<id>/data.json, its work directory
// <root>/projects/<id>. Only the guest program imports this package. What it reads back
// from those directories may have been changed by an agent.
package agents
