package cli

import (
	"cmp"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"mngr/internal/agent"
	"mngr/internal/azure"
	"mngr/internal/config"
	"mngr/internal/journal"
)

// invocation is what the log of writes tells of a command line. Values of flags, labels,
// and what an agent is to run are no business of a log's.
type invocation struct {
	line    string   // names of the command and of its flags
	targets []string // agents and hosts that it names
}

func invoked(cmd *cobra.Command, args []string) invocation {
	line := cmd.CommandPath()
	cmd.Flags().Visit(func(f *pflag.Flag) { line += " --" + f.Name })
	if dash := cmd.ArgsLenAtDash(); dash >= 0 {
		args = args[:dash]
	} else if cmd.Name() == execName && len(args) > 0 {
		args = args[:len(args)-1] // a shell line
	}
	i := invocation{line: line}
	for _, a := range args {
		_, noAgent := agent.ParseAddress(a)
		_, noHost := agent.ParseHostAddress(a)
		if noAgent == nil || noHost == nil && strings.HasPrefix(a, "@") {
			i.targets = append(i.targets, a)
		}
	}
	return i
}

// recorder writes to the log of writes on behalf of one command. A log that cannot be
// written stops no work.
type recorder struct {
	log    *journal.Log
	stamp  journal.Entry // what all of a process's entries have
	failed func(error)   // called once
}

var _ azure.Journal = (*recorder)(nil)

// eventsDir is where the log lies in the base directory.
const eventsDir = "events"

func eventLog(conf *config.Config) *journal.Log {
	return journal.In(filepath.Join(conf.Files.BaseDir, eventsDir))
}

func (a *App) recorder(conf *config.Config) *recorder {
	machine, _ := os.Hostname()
	var once sync.Once
	return &recorder{
		log: eventLog(conf),
		stamp: journal.Entry{
			Command: a.command.line, Targets: a.command.targets, PID: os.Getpid(), Machine: machine, Operator: operator(),
		},
		failed: func(err error) {
			once.Do(func() {
				a.printer().Warn("this command's writes to Azure are not in the log of `mngr events`: "+err.Error(), "")
			})
		},
	}
}

// Append implements azure.Journal.
func (r *recorder) Append(e journal.Entry) {
	e.Command, e.Targets, e.PID, e.Machine, e.Operator = r.stamp.Command, r.stamp.Targets, r.stamp.PID, r.stamp.Machine, r.stamp.Operator
	if err := r.log.Append(e); err != nil {
		r.failed(err)
	}
}

// operator is who runs this process, and the number where no name is known.
func operator() string {
	if u, err := user.Current(); err == nil {
		return cmp.Or(u.Username, u.Uid)
	}
	return strconv.Itoa(os.Getuid())
}
