package fleet

import (
	"fmt"

	"mngr/internal/agent"
)

// againAll is the remedy of a create that was undone. The command is not repeated here: what
// the agent runs is part of it.
const againAll = "repeat the same mngr create: nothing is left of this one"

// orElse gives an error a hint if nothing beneath it has one.
func orElse(err error, hint string, args ...any) error {
	if err == nil || agent.HintOf(err) != "" {
		return err
	}
	return &agent.Error{Kind: agent.KindOf(err), Cause: err.Error(), Hint: fmt.Sprintf(hint, args...), Err: err}
}
