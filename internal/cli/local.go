package cli

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"

	"mngr/internal/agent"
	"mngr/internal/config"
)

// ensureLocal starts the local Azure where a command that makes something names it. It
// runs this very program, since azlocal and the client meet over HTTPS only.
func (a *App) ensureLocal(ctx context.Context, p config.Provider) (err error) {
	if p.Cloud != "local" {
		return nil
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	ctx, done := agent.Within(ctx, agent.DeadlineLocalUp, "starting the local Azure")
	defer done(&err)
	cmd := exec.CommandContext(ctx, self, "azure", "local", "up", "--if-needed")
	var hidden bytes.Buffer
	cmd.Stdout, cmd.Stderr = a.streams.Err, a.streams.Err
	if a.global.quiet {
		cmd.Stdout, cmd.Stderr = &hidden, &hidden
	}
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return ctx.Err() // done says of which kind
		}
		_, _ = a.streams.Err.Write(hidden.Bytes())
		return agent.Errorf(agent.KindUnreachable, "the local Azure does not start: %w", err).WithHint("mngr azure local up")
	}
	return nil
}
