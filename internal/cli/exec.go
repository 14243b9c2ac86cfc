package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"mngr/internal/agent"
	"mngr/internal/fleet"
	"mngr/internal/output"
	"mngr/internal/shell"
)

type execFlags struct {
	outer   bool
	cwd     string
	timeout string
}

const execName = "exec"

func newExec(app *App) *cobra.Command {
	var flags execFlags
	cmd := &cobra.Command{
		Use:     execName + " AGENT... 'COMMAND' | exec AGENT... -- COMMAND ARGS...",
		Aliases: []string{"x"},
		Short:   "Run a shell command in an agent's work directory",
		Long: `Run a shell command in an agent's work directory, with the agent's environment.

The last argument is the command, one shell line; after -- it is a program and its
arguments instead, run without a shell's interpretation.

With one agent, standard output and the exit code are the command's, and 255 says that
mngr failed before it ran. With several the code is 1 if any of them failed. A host that
is stopped is not started: that would cost money.`,
		Example: `  mngr exec my-agent "git status"
  mngr exec my-agent 'exit 7'; echo $?
  mngr exec --outer my-agent "docker ps"`,
		Args:              cobra.MinimumNArgs(2),
		ValidArgsFunction: completeAgents(app),
		RunE: func(cmd *cobra.Command, args []string) error {
			names, line := execLine(args, cmd.ArgsLenAtDash())
			if len(names) == 0 {
				return agent.Errorf(agent.KindUsage, "exec needs an agent and a command").WithHint("mngr exec AGENT 'COMMAND' # or: mngr exec AGENT -- COMMAND ARGS...")
			}
			err := runExec(cmd.Context(), app, flags, names, line)
			if _, ok := errors.AsType[*output.Exit](err); ok || err == nil {
				return err
			}
			if agent.KindOf(err) == agent.KindUsage {
				return err
			}
			return &output.Exit{Code: output.CodeExecFailed, Err: err}
		},
	}
	cmd.Flags().BoolVar(&flags.outer, "outer", false, "on the virtual machine itself, as root")
	cmd.Flags().StringVar(&flags.cwd, "cwd", "", "directory to run in, an absolute path")
	cmd.Flags().StringVar(&flags.timeout, "timeout", "", "end the command after this time")
	return cmd
}

// execLine takes the arguments apart: names and one shell line. What follows -- is quoted
// word by word, unless it is one word: then it is a line of its own.
// dash is the number of arguments before it; negative where there is none.
func execLine(args []string, dash int) (names []string, line string) {
	if dash < 0 || dash == len(args) {
		return args[:len(args)-1], args[len(args)-1]
	}
	words := args[dash:]
	if len(words) == 1 {
		return args[:dash], words[0]
	}
	quoted := make([]string, 0, len(words))
	for _, w := range words {
		quoted = append(quoted, shell.Quote(w))
	}
	return args[:dash], strings.Join(quoted, " ")
}

func runExec(ctx context.Context, app *App, flags execFlags, names []string, line string) error {
	if flags.cwd != "" && flags.cwd[0] != '/' {
		return agent.Errorf(agent.KindUsage, "--cwd %q is not an absolute path", flags.cwd)
	}
	if flags.timeout != "" {
		d, err := parseDuration(flags.timeout)
		if err != nil {
			return err
		}
		if d == 0 {
			return agent.Errorf(agent.KindUsage, "--timeout 0 leaves no time").WithHint("leave --timeout out for no limit")
		}
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, d, agent.Errorf(agent.KindTimeout, "the command ran longer than %s", d))
		defer cancel()
	}
	f, err := app.fleet()
	if err != nil {
		return err
	}
	rows, err := f.Find(ctx, names)
	if err != nil {
		return err
	}
	o := fleet.ExecOptions{Line: line, Outer: flags.outer, Dir: flags.cwd}
	if len(rows) == 1 && app.printer().Format == output.Human {
		o.Stdin, o.Stdout, o.Stderr = app.stdin(), app.streams.Out, app.streams.Err
		code, err := f.Exec(ctx, rows[0], o)
		switch {
		case brokenPipe(err, os.Stdout) || brokenPipe(err, os.Stderr): // it ends as a program here would
			return exitWith(128 + int(syscall.SIGPIPE))
		case err != nil:
			return err
		}
		return exitWith(code)
	}
	return app.execMany(ctx, f, rows, o)
}

// stdin is what a remote command reads: nothing when a person sits there, since exec has
// no terminal to offer.
func (a *App) stdin() io.Reader {
	if a.streams.InTTY {
		return nil
	}
	return os.Stdin
}

func exitWith(code int) error {
	if code == 0 {
		return nil
	}
	return &output.Exit{Code: code}
}

type execResult struct {
	Agent     string  `json:"agent"`
	Stdout    string  `json:"stdout"`
	Stderr    string  `json:"stderr"`
	Truncated bool    `json:"truncated"` // only the beginning of a stream is there
	Success   bool    `json:"success"`
	ExitCode  *int    `json:"exit_code"` // null when mngr failed before the command ran
	Error     string  `json:"error,omitempty"`
	Seconds   float64 `json:"elapsed_seconds"`
}

func (a *App) execMany(ctx context.Context, f *fleet.Fleet, rows []fleet.Row, o fleet.ExecOptions) error {
	results := make([]execResult, len(rows))
	var wg sync.WaitGroup
	for n, row := range rows {
		wg.Go(func() { results[n] = execOne(ctx, f, row, o) })
	}
	wg.Wait()
	failed := []string{}
	for _, r := range results {
		if !r.Success {
			failed = append(failed, r.Agent)
		}
	}
	if err := a.printExec(results, failed); err != nil {
		return err
	}
	switch {
	case len(results) == 1 && results[0].ExitCode == nil:
		return &output.Exit{Code: output.CodeExecFailed}
	case len(results) == 1:
		return exitWith(*results[0].ExitCode)
	case len(failed) > 0:
		return &output.Exit{Code: output.CodeFailed}
	}
	return nil
}

func execOne(ctx context.Context, f *fleet.Fleet, row fleet.Row, o fleet.ExecOptions) execResult {
	begin := time.Now()
	said, err := f.ExecKept(ctx, row, o)
	r := execResult{Agent: row.Agent.Name, Stdout: said.Stdout, Stderr: said.Stderr, Truncated: said.Cut, Seconds: time.Since(begin).Seconds()}
	if err != nil {
		r.Error = err.Error()
		return r
	}
	r.ExitCode, r.Success = &said.Code, said.Code == 0
	return r
}

func (a *App) printExec(results []execResult, failed []string) error {
	p := a.printer()
	if p.Format == output.JSONL {
		for _, r := range results {
			if err := p.Emit(output.Result{Event: "exec_result", Data: r}); err != nil {
				return err
			}
		}
		return nil
	}
	return p.Emit(output.Result{
		Data: map[string]any{"results": results, "failed_agents": failed, "total_executed": len(results), "total_failed": len(failed)},
		Human: func(w io.Writer) error {
			for _, r := range results {
				fmt.Fprintf(w, "--- %s ---\n%s", r.Agent, r.Stdout)
				fmt.Fprint(p.Stderr(), r.Stderr)
				if r.Truncated {
					p.Warn(fmt.Sprintf("%s: of each stream only the first %d MiB are kept; exec on this agent alone shows all", r.Agent, fleet.MaxSaid>>20), "")
				}
				if r.Error != "" {
					p.Warn(r.Agent+": "+r.Error, "")
				} else if !r.Success {
					p.Warn(fmt.Sprintf("%s: the command ended with %d", r.Agent, *r.ExitCode), "")
				}
			}
			return nil
		},
	})
}
