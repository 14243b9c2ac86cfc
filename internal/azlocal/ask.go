package azlocal

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"mngr/internal/azlocal/control"
	"mngr/internal/azlocal/instance"
)

// ask sends a request to the daemon, which must run.
func ask(cmd *cobra.Command, method, path string, in, out any) error {
	inst, err := load()
	if errors.Is(err, instance.ErrNone) || err == nil && runningPID(inst.Path("pid")) == 0 {
		return &Problem{Cause: "the local Azure does not run", Remedy: "mngr azure local up # starts it", Err: err}
	}
	if err != nil {
		return err
	}
	err = control.Call(cmd.Context(), inst.Dir, method, path, in, out)
	if refused, ok := errors.AsType[*control.Refused](err); ok {
		return &Problem{Cause: refused.Text, Remedy: cmd.CommandPath() + " --help", Err: err, Misuse: true}
	}
	if err != nil {
		return &Problem{Cause: fmt.Sprintf("the daemon does not answer: %v", err), Remedy: "see " + inst.Path("daemon.log"), Err: err}
	}
	return nil
}

// formatFlag adds --format, which is the program's own where the command hangs in one.
func formatFlag(cmd *cobra.Command) *string {
	format := "human"
	cmd.Flags().StringVar(&format, "format", "human", "human, json or jsonl")
	return &format
}

// emit writes a result in a format: v whole as json, the rows of v as jsonl.
func emit[T any](w io.Writer, format string, v any, rows []T, human func(io.Writer) error) error {
	switch format {
	case "human":
		return human(w)
	case "json":
		enc := json.NewEncoder(jsonOut{w})
		enc.SetIndent("", "  ")
		return enc.Encode(v)
	case "jsonl":
		enc := json.NewEncoder(jsonOut{w})
		for _, row := range rows {
			if err := enc.Encode(row); err != nil {
				return err
			}
		}
		return nil
	}
	return checkFormat(format)
}

// checkFormat refuses a format before anything is done.
func checkFormat(format string) error {
	switch format {
	case "human", "json", "jsonl":
		return nil
	}
	return &Problem{Cause: fmt.Sprintf("there is no format %q", format), Remedy: "formats: human, json, jsonl", Misuse: true}
}
