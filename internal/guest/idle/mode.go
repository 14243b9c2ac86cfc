package idle

import (
	"fmt"
	"slices"
	"strings"
)

// Mode says which activities keep a host up.
type Mode string

// source is one kind of activity.
type source string

const (
	sourceBoot    source = "boot"    // the container came up
	sourceCreate  source = "create"  // an agent was created
	sourceStart   source = "start"   // an agent was started
	sourceSSH     source = "ssh"     // a command, transfer, terminal or busy forward
	sourceOutput  source = "output"  // a shell or coding agent wrote to its terminal
	sourceProcess source = "process" // an agent's process lives
)

// Default chooses by the agent's type.
const (
	Default  Mode = ""
	Disabled Mode = "disabled"
)

// modes are the original's presets. Its sources "user" and "agent" come from a web
// terminal and from hooks that do not exist here: terminal output stands for "agent".
var modes = map[Mode][]source{
	"io":     {sourceOutput, sourceSSH, sourceCreate, sourceStart, sourceBoot},
	"user":   {sourceSSH, sourceCreate, sourceStart, sourceBoot},
	"agent":  {sourceOutput, sourceSSH, sourceCreate, sourceStart, sourceBoot},
	"ssh":    {sourceSSH, sourceCreate, sourceStart, sourceBoot},
	"create": {sourceCreate},
	"boot":   {sourceBoot},
	"start":  {sourceStart, sourceBoot},
	"run":    {sourceCreate, sourceStart, sourceBoot, sourceProcess},
	Disabled: nil,
}

// defaultForCommand is "run", and somebody who is connected keeps the host up too.
var defaultForCommand = append([]source{sourceSSH}, modes["run"]...)

// ParseMode accepts the name of a mode; "" is Default.
func ParseMode(name string) (Mode, error) {
	if _, ok := modes[Mode(name)]; !ok && name != "" {
		return "", fmt.Errorf("unknown idle mode %q (%s)", name, strings.Join(Names(), ", "))
	}
	return Mode(name), nil
}

// Names returns the names of all modes, sorted.
func Names() []string {
	var names []string
	for m := range modes {
		names = append(names, string(m))
	}
	slices.Sort(names)
	return names
}

// sources resolves Default for an agent's type.
func (m Mode) sources(agentType string) []source {
	switch {
	case m == Default && agentType == "command":
		return defaultForCommand
	case m == Default:
		return modes["io"]
	}
	return modes[m]
}
