package fleet

import (
	"context"
	"errors"
	"fmt"

	"mngr/internal/agent"
	"mngr/internal/ctl"
)

// whySilent says why the container of a running host does not answer, as far as the
// machine around it tells: that one has an SSH server of its own.
func (f *Fleet) whySilent(ctx context.Context, h agent.Host, silence error) string {
	ctx, done := agent.Within(ctx, agent.DeadlineMachine, "asking the machine")
	defer done(nil)
	vm, err := f.Guests.Dial(ctx, h, VM)
	switch {
	case errors.Is(err, ErrNoAccess):
		return fmt.Sprintf("its machine answers, its container does not: %v", silence)
	case err != nil:
		return fmt.Sprintf("neither its container nor its machine answers: %v", silence)
	}
	defer vm.Close()
	answer, err := call(ctx, vm, ctl.Request{Op: ctl.OpHostStatus}, nil)
	if err == nil && answer.Host == nil {
		err = errors.New("it sent an empty answer")
	}
	if err != nil {
		return fmt.Sprintf("its container does not answer, and mngrd on its machine neither: %v", err)
	}
	switch state := word(answer.Host.ContainerState); {
	case answer.Host.ContainerError != "":
		return "its container does not answer, and Docker on its machine neither: " + word(answer.Host.ContainerError)
	case state == "absent":
		return "its container is gone"
	case state == "running":
		return fmt.Sprintf("its container runs and does not answer: %v", silence)
	default:
		return "its container is " + state
	}
}
