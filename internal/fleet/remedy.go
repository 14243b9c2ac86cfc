package fleet

import (
	"fmt"

	"mngr/internal/agent"
)

// againAll is the remedy of a create that was undone. The command is not repeated here: what
// the agent runs is part of it.
const againAll = "repeat the same mngr create: nothing is left of this one"

// silentHost is the remedy of a host that does not answer, where nothing was changed.
func silentHost(h agent.Host) string {
	return fmt.Sprintf("mngr list # shows its state; mngr stop --stop-host @%s stops it without SSH", h.Name)
}

// orElse gives an error a hint if nothing beneath it has one.
func orElse(err error, hint string, args ...any) error {
	if err == nil || agent.HintOf(err) != "" {
		return err
	}
	return &agent.Error{Kind: agent.KindOf(err), Cause: err.Error(), Hint: fmt.Sprintf(hint, args...), Err: err}
}
