package azlocal

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

// newServe is the daemon itself; `up` starts it.
func newServe() *cobra.Command {
	return &cobra.Command{
		Use: "serve", Hidden: true, Args: cobra.NoArgs,
		Short: "Serve in the foreground (what up starts)",
		RunE: func(cmd *cobra.Command, _ []string) error {
			inst, err := load()
			if err != nil {
				return err
			}
			held, err := lock(inst.Path("pid"))
			if errors.Is(err, errLocked) {
				return &Problem{Cause: "the local Azure runs already", Remedy: "mngr azure local status"}
			}
			if err != nil {
				return err
			}
			defer held.Close()
			if err := writePID(held); err != nil {
				return err
			}
			ctx, cancel := signal.NotifyContext(cmd.Context(), syscall.SIGTERM, os.Interrupt)
			defer cancel()
			log := slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), nil))
			d := &daemon{inst: inst, log: log, newDriver: newDriver(inst.Driver), stop: make(chan stopRequest, 1)}
			if err := d.run(ctx); err != nil {
				return fmt.Errorf("serve the local Azure: %w", err)
			}
			return nil
		},
	}
}
