package agents

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"mngr/internal/agent"
	"mngr/internal/agent/preset"
	"mngr/internal/ctl"
	"mngr/internal/guest/idle"
)

// Agent types that are no presets.
const (
	typeCommand = "command"
	typeShell   = "shell"
)

// Bounds on a request, far above what is sensible.
const (
	maxArgv = 4096
	maxVars = 4096
)

// namePattern is narrow because names become tmux session names.
var (
	namePattern = regexp.MustCompile(`^[a-zA-Z0-9]([a-zA-Z0-9_-]{0,61}[a-zA-Z0-9])?$`)
	varPattern  = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
)

func usage(format string, args ...any) error {
	return &ctl.Error{Code: ctl.CodeUsage, Message: fmt.Sprintf(format, args...)}
}

// checkSpec refuses what a correct client never sends.
func checkSpec(s *ctl.AgentSpec) error {
	if _, err := agent.ParseID(s.ID); err != nil {
		return usage("%v", err)
	}
	if !namePattern.MatchString(s.Name) {
		return usage("%q is no agent name (letters, digits, - and _, at most 63)", s.Name)
	}
	if err := checkCommand(s); err != nil {
		return err
	}
	if len(s.Env) > maxVars {
		return usage("too many environment variables")
	}
	for k, v := range s.Env {
		if !varPattern.MatchString(k) || strings.ContainsRune(v, 0) {
			return usage("%q is no environment variable", k)
		}
	}
	if _, err := idle.ParseMode(s.IdleMode); err != nil {
		return usage("%v", err)
	}
	if s.Git != nil {
		return checkGit(s.Git)
	}
	return nil
}

func checkCommand(s *ctl.AgentSpec) error {
	if len(s.Argv) > maxArgv || slices.ContainsFunc(s.Argv, func(a string) bool { return strings.ContainsRune(a, 0) }) {
		return usage("the command is too long or contains a NUL byte")
	}
	switch _, known := preset.Lookup(s.Type); {
	case s.Type == typeCommand && (len(s.Argv) == 0 || s.Argv[0] == ""):
		return usage("an agent of type command needs a command")
	case s.Type == typeShell && len(s.Argv) > 0:
		return usage("an agent of type shell takes no command")
	case s.Type != typeCommand && s.Type != typeShell && !known:
		return usage("unknown agent type %q (command, shell, %s)", s.Type, strings.Join(preset.Names(), ", "))
	}
	return nil
}

// checkGit looks at the words that reach git's command line; git itself checks the rest.
func checkGit(g *ctl.Git) error {
	for _, word := range []string{g.Base, g.Branch, g.Origin, g.UserName, g.UserEmail} {
		if strings.ContainsFunc(word, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			return usage("%q contains a control character", word)
		}
	}
	if g.Base == "" || g.Branch == "" || strings.HasPrefix(g.Branch, "-") || strings.HasPrefix(g.Origin, "-") {
		return usage("git wants a base and a branch, and neither a branch nor an origin begins with -")
	}
	return nil
}

// checkRef wants an id or a name, in their forms.
func checkRef(ref ctl.AgentRef) error {
	if ref.ID == "" && ref.Name == "" {
		return usage("no agent is named")
	}
	if ref.ID != "" {
		if _, err := agent.ParseID(ref.ID); err != nil {
			return usage("%v", err)
		}
	}
	if ref.Name != "" && !namePattern.MatchString(ref.Name) {
		return usage("%q is no agent name", ref.Name)
	}
	return nil
}
