package azlocal

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// maxStdin is how much a command in a machine can be given.
const maxStdin = 64 << 20

// commandEnded carries the exit code of a command in a machine to the end of the program.
type commandEnded int

// Error says how it ended, for programs that print it.
func (c commandEnded) Error() string { return fmt.Sprintf("the command ended with %d", int(c)) }

// EndsWith is the program's exit code.
func (c commandEnded) EndsWith() int { return int(c) }

func newMachine() *cobra.Command {
	cmd := &cobra.Command{
		Use: "machine", Args: cobra.NoArgs,
		Short: "Cut a machine's power, hang its sshd, or run a command in it, past ARM and SSH",
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(
		newMachineAct("kill", "Cut a machine's power: it is stopped, not deallocated, and billed on", "%s has no power\n"),
		newMachineAct("hang", "Make every sshd of a machine stand still: connections open and nobody answers", "no sshd of %s answers any more\n"),
		newMachineAct("resume", "Undo hang", "sshd of %s goes on\n"),
		newMachineExec())
	return cmd
}

func newMachineAct(act, short, says string) *cobra.Command {
	return &cobra.Command{
		Use: act + " VM", Args: cobra.ExactArgs(1), Short: short,
		Long:    short + ".\n\nVM is the name that 'mngr azure local status' shows, or the id.",
		Example: "  mngr azure local machine " + act + " mngr-a-ca978112",
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := ask(cmd, http.MethodPost, machinePath(args[0], act), nil, nil); err != nil {
				return err
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), says, args[0])
			return err
		},
	}
}

func machinePath(vm, act string) string { return "/machines/" + url.PathEscape(vm) + "/" + act }

func newMachineExec() *cobra.Command {
	cmd := &cobra.Command{
		Use: "exec VM -- COMMAND [ARG...]", Args: cobra.MinimumNArgs(2),
		Short: "Run a command as root in a machine, past its network and sshd",
		Long: `Run a command as root in a machine, past its network and sshd, as at a console. Standard
input is handed on where it is no terminal; the exit code is the command's. Output comes
when the command has ended.`,
		Example: "  mngr azure local machine exec mngr-a-ca978112 -- systemctl kill --signal KILL docker\n  mngr azure local machine exec mngr-a-ca978112 -- fallocate -l 20G /full",
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c := console{Argv: args[1:]}
		if in, ok := cmd.InOrStdin().(*os.File); !ok || !term.IsTerminal(int(in.Fd())) {
			data, err := io.ReadAll(io.LimitReader(cmd.InOrStdin(), maxStdin+1))
			if err != nil {
				return fmt.Errorf("read standard input: %w", err)
			}
			if len(data) > maxStdin {
				return &Problem{Cause: "standard input is larger than 64 MiB", Remedy: "write it in pieces", Misuse: true}
			}
			c.Stdin = data
		}
		var got console
		if err := ask(cmd, http.MethodPost, machinePath(args[0], "exec"), c, &got); err != nil {
			return err
		}
		if _, err := cmd.OutOrStdout().Write(got.Stdout); err != nil {
			return err
		}
		if _, err := cmd.ErrOrStderr().Write(got.Stderr); err != nil {
			return err
		}
		if got.Code != 0 {
			return commandEnded(got.Code)
		}
		return nil
	}
	return cmd
}
