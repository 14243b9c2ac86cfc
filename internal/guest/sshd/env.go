package sshd

import (
	"regexp"
	"strings"
)

const (
	maxClientVars  = 256
	maxClientBytes = 64 << 10
)

var varName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// refusedVars change which code a program runs before it looks at its arguments. Who can
// log in can run anything anyway; refusing them keeps a client's own settings, forwarded
// by a broad SendEnv, from breaking programs here.
var refusedVars = regexp.MustCompile(`^(LD_.*|GLIBC_TUNABLES|GCONV_PATH|LOCPATH|MALLOC_.*|BASH_ENV|BASH_FUNC_.*|ENV|IFS|` +
	`SHELLOPTS|BASHOPTS|PS4|PROMPT_COMMAND|PATH|HOME|USER|LOGNAME|SHELL|TMUX.*|MNGR_AGENT_.*|MNGR_HOST_DIR|SSH_.*)$`)

// clientEnv is what a client sets with env requests, in the order of arrival.
type clientEnv struct {
	vars  []string
	bytes int
}

// set adds a variable; false means refused.
func (e *clientEnv) set(name, value string) bool {
	size := len(name) + len(value)
	if !varName.MatchString(name) || refusedVars.MatchString(name) || strings.ContainsRune(value, 0) ||
		len(e.vars) >= maxClientVars || e.bytes+size > maxClientBytes {
		return false
	}
	e.vars = append(e.vars, name+"="+value)
	e.bytes += size
	return true
}

func (e *clientEnv) list() []string { return e.vars }

// get returns the last value of a variable, or "".
func (e *clientEnv) get(name string) string { return lookup(e.vars, name) }

// lookup finds a variable as execve's receiver would: the last one wins.
func lookup(env []string, name string) string {
	value := ""
	for _, kv := range env {
		if k, v, _ := strings.Cut(kv, "="); k == name {
			value = v
		}
	}
	return value
}
