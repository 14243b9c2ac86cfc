package model

import (
	"fmt"
	"regexp"
	"strings"
)

// Verb is what a command does.
type Verb string

// Verbs of mngr that write, and Finish, which stands for the end of a creation: what the
// guest would have made of it on a driver with machines.
const (
	Create     Verb = "create"
	Stop       Verb = "stop"
	Start      Verb = "start"
	Destroy    Verb = "destroy"
	Label      Verb = "label"
	Rename     Verb = "rename"
	RenameHost Verb = "rename host"
	GC         Verb = "gc"
	Prepare    Verb = "prepare"
	Cleanup    Verb = "cleanup"
	Finish     Verb = "finish"
)

// Command is one command line of an operator.
type Command struct {
	Operator string
	Verb     Verb
	Target   string // name of an agent; of a host for RenameHost, and where ByHost is set
	ByHost   bool
	Host     string // of a create: the new host's name; "" for the agent's
	Name     string // of a rename
	Key      string // of a label, and of a create with one
	Value    string // "" removes
	Argv     string // of a create: the agent's program
	Force    bool
}

// Args is the command line, without the program's name.
func (c Command) Args(provider string) []string {
	target := c.Target
	if c.ByHost || c.Verb == RenameHost {
		target = "@" + target
	}
	var args []string
	switch c.Verb {
	case Create:
		if c.Host != "" {
			target += "@" + c.Host
		}
		args = []string{"create", target, "--provider", provider, "--transfer", "none", "--no-wait"}
		if c.Host != "" {
			args = append(args, "--new-host")
		}
		if c.Key != "" {
			args = append(args, "--label", c.Key+"="+c.Value)
		}
		return append(args, "--", c.Argv)
	case Stop:
		args = []string{"stop", target}
	case Start:
		args = []string{"start", target, "--no-wait"}
	case Destroy:
		args = []string{"destroy", target}
	case Label:
		change := c.Key + "=" + c.Value
		if c.Value == "" {
			change = c.Key + "-"
		}
		return []string{"label", target, change}
	case Rename, RenameHost:
		return []string{"rename", target, c.Name}
	case GC:
		args = []string{"gc"}
	case Prepare, Cleanup:
		return []string{"azure", string(c.Verb), "--provider", provider}
	}
	if c.Force {
		args = append(args, "--force")
	}
	return args
}

func (c Command) String() string {
	if c.Verb == Finish {
		return "(" + c.Target + " is finished)"
	}
	return fmt.Sprintf("%s: mngr %s", c.Operator, strings.Join(c.Args("P"), " "))
}

var (
	properName = regexp.MustCompile(`^[a-zA-Z0-9]([a-zA-Z0-9_-]*[a-zA-Z0-9])?$`)
	likeAnID   = regexp.MustCompile(`^(agent|host)-[0-9a-f]{32}$`)
)

// malformed tells whether a name in a command can be nobody's.
func (c Command) malformed() bool {
	switch c.Verb {
	case GC, Prepare, Cleanup:
		return false
	}
	return !properName.MatchString(c.Target) || c.Verb == Create && likeAnID.MatchString(c.Target)
}

// Outcome is how a command ends.
type Outcome string

// Outcomes. The words are those of error_class.
const (
	OK          Outcome = "ok"
	Usage       Outcome = "usage"
	NotFound    Outcome = "not_found"
	Exists      Outcome = "exists"
	NotPrepared Outcome = "not_prepared"
	Conflict    Outcome = "conflict"
	Refused     Outcome = "refused"
	Early       Outcome = "early" // it failed, or was killed, between two writes
)

// fits tells whether an outcome is told by an exit code; docs/cli.md lists them.
func (o Outcome) fits(code int) bool {
	switch o {
	case OK:
		return code == 0
	case Usage:
		return code == 2
	case Early:
		return code != 0
	}
	return code == 1
}
