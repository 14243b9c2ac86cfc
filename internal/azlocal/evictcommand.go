package azlocal

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/fabric"
)

// eviction is a machine that goes, and when.
type eviction struct {
	Name   string    `json:"vm"`
	Policy string    `json:"policy,omitempty"`
	At     time.Time `json:"at,omitzero"`
}

// evict takes a Spot machine's capacity back, by the machine's name.
func (s *Server) evict(r *http.Request) (any, error) {
	want, err := read[eviction](r)
	if err != nil {
		return nil, err
	}
	id, _, err := s.machineNamed(want.Name)
	if err != nil {
		return nil, err
	}
	err = s.world.Update(func(t *fabric.Tx) error {
		if d := t.Peek(id); d != nil {
			want.Name, want.Policy = arm.Name(id), d.Body.Str("properties", "evictionPolicy")
		}
		want.At, err = s.compute.Evict(t, id)
		return err
	})
	if refused, ok := errors.AsType[*arm.Error](err); ok {
		return nil, errors.New(refused.Message)
	}
	return want, err
}

func newEvict() *cobra.Command {
	return &cobra.Command{
		Use: "evict VM", Args: cobra.ExactArgs(1),
		Short: "Take the capacity of a Spot machine back, as Azure may at any time",
		Long: `Take the capacity of a Spot machine back, as Azure may at any time: its metadata service
announces a Preempt event, and when the notice is over (set eviction-notice) the machine
is deleted or deallocated, as its eviction policy says.

VM is the name that 'mngr azure local status' shows.`,
		Example: "  mngr azure local evict mngr-a-ca978112",
		RunE: func(cmd *cobra.Command, args []string) error {
			var out eviction
			if err := ask(cmd, "POST", "/evict", eviction{Name: args[0]}, &out); err != nil {
				return err
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s goes at %s (policy %s)\n", out.Name, out.At.UTC().Format(time.RFC3339), out.Policy)
			return err
		},
	}
}
