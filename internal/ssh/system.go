package ssh

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"mngr/internal/shell"
)

// System is a connection for the system's ssh: a real terminal, agents and ProxyJump
// come with it. Only a person's session and git need it.
type System struct {
	Target     Target
	KeyPath    string
	KnownHosts string // file that holds the target's key and nothing else
}

// Options are the arguments of ssh(1) before the destination. They ask nothing and trust
// nothing but the pinned key; an authentication agent is left out, since one that asks
// for a touch would hang a command.
//
// The other side is hostile: what the user's own configuration allows servers in general,
// such as a forwarded agent or new host keys, stands back here. How the server is reached
// stays the user's business.
func (s System) Options() []string {
	return []string{
		"-i", s.KeyPath,
		"-p", strconv.Itoa(s.Target.Port),
		"-o", "UserKnownHostsFile=" + quoteOption(s.KnownHosts),
		"-o", "GlobalKnownHostsFile=/dev/null",
		"-o", "StrictHostKeyChecking=yes",
		"-o", "IdentitiesOnly=yes",
		"-o", "IdentityAgent=none",
		"-o", "PreferredAuthentications=publickey", // no question that the server made up
		"-o", "PasswordAuthentication=no",
		"-o", "NoHostAuthenticationForLocalhost=no", // the local Azure's machines
		"-o", "VerifyHostKeyDNS=no",
		"-o", "UpdateHostKeys=no",
		"-o", "ControlMaster=no",
		"-o", "ControlPath=none", // a connection that was verified as somebody else's
		"-o", "ForwardAgent=no",
		"-o", "ForwardX11=no",
		"-o", "ClearAllForwardings=yes",
		"-o", "GSSAPIDelegateCredentials=no",
		"-o", "Tunnel=no",
		"-o", "ConnectTimeout=15",
		"-o", "ServerAliveInterval=15",
		"-o", "ServerAliveCountMax=4",
		"-o", "LogLevel=ERROR",
	}
}

// Args is the argument list of ssh(1), its name included, to run line there. With a
// terminal the other side gets one too.
func (s System) Args(line string, terminal bool, env map[string]string) []string {
	args := append([]string{"ssh"}, s.Options()...)
	for _, name := range slices.Sorted(maps.Keys(env)) {
		args = append(args, "-o", "SetEnv="+name+"="+env[name])
	}
	if terminal {
		args = append(args, "-tt")
	}
	args = append(args, "root@"+s.Target.Address)
	if line != "" {
		args = append(args, "--", line)
	}
	return args
}

// GitCommand is the value of GIT_SSH_COMMAND, which git hands to sh.
func (s System) GitCommand() string {
	words := append([]string{"ssh"}, s.Options()...)
	for i, w := range words {
		words[i] = shell.Quote(w)
	}
	return strings.Join(words, " ")
}

// quoteOption quotes a file name for ssh_config(5), whose lists are split at blanks.
func quoteOption(path string) string {
	if strings.ContainsAny(path, " \t") {
		return `"` + path + `"`
	}
	return path
}
