package fleet

import (
	"fmt"

	"mngr/internal/agent"
)

// orElse gives an error a hint if nothing beneath it has one.
func orElse(err error, hint string, args ...any) error {
	if err == nil || agent.HintOf(err) != "" {
		return err
	}
	return &agent.Error{Kind: agent.KindOf(err), Cause: err.Error(), Hint: fmt.Sprintf(hint, args...), Err: err}
}
