package hostsetup

import (
	"fmt"
	"strings"
)

// runFlag is one argument of docker run, taken apart the way docker does (spf13/pflag).
type runFlag struct {
	name  string // long name, or the letter of one that was given short and is unknown
	value string // "true" for a switch without a value
	raw   string // as it was written, for messages
}

// switches are docker run's flags without a value.
var switches = words(`detach disable-content-trust help init interactive no-healthcheck oom-kill-disable
	privileged publish-all quiet read-only rm sig-proxy tty use-api-socket`)

// valued are docker run's flags with a value (docker 20.10 to 29).
var valued = words(`add-host annotation attach blkio-weight blkio-weight-device cap-add cap-drop
	cgroup-parent cgroupns cidfile cpu-count cpu-percent cpu-period cpu-quota cpu-rt-period cpu-rt-runtime
	cpu-shares cpus cpuset-cpus cpuset-mems detach-keys device device-cgroup-rule device-read-bps
	device-read-iops device-write-bps device-write-iops dns dns-opt dns-option dns-search domainname
	entrypoint env env-file expose gpus group-add health-cmd health-interval health-retries
	health-start-interval health-start-period health-timeout hostname io-maxbandwidth io-maxiops ip ip6
	ipc isolation kernel-memory label label-file link link-local-ip log-driver log-opt mac-address memory
	memory-reservation memory-swap memory-swappiness mount name net net-alias network network-alias
	oom-score-adj pid pids-limit platform publish pull restart runtime security-opt shm-size stop-signal
	stop-timeout storage-opt sysctl tmpfs ulimit user userns uts volume volume-driver volumes-from workdir`)

var shorthands = map[byte]string{
	'a': "attach", 'c': "cpu-shares", 'd': "detach", 'e': "env", 'h': "hostname", 'i': "interactive",
	'l': "label", 'm': "memory", 'P': "publish-all", 'p': "publish", 'q': "quiet", 't': "tty",
	'u': "user", 'v': "volume", 'w': "workdir",
}

func words(s string) map[string]bool {
	set := map[string]bool{}
	for _, word := range strings.Fields(s) {
		set[word] = true
	}
	return set
}

// parseFlags takes args apart. It refuses what is no flag, since docker would take it for
// the image, and a flag that would swallow the image as its value.
func parseFlags(args []string) ([]runFlag, error) {
	var flags []runFlag
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		var err error
		switch {
		case strings.ContainsRune(arg, 0):
			return nil, fmt.Errorf("%q holds a NUL byte", arg)
		case arg == "--" || !strings.HasPrefix(arg, "-") || arg == "-":
			return nil, fmt.Errorf("%q is no flag of docker run; docker would take it for the image", arg)
		case strings.HasPrefix(arg, "--"):
			flags, args, err = parseLong(flags, arg, args)
		default:
			flags, args, err = parseShort(flags, arg, args)
		}
		if err != nil {
			return nil, err
		}
	}
	return flags, nil
}

func parseLong(flags []runFlag, arg string, rest []string) ([]runFlag, []string, error) {
	name, value, assigned := strings.Cut(arg[2:], "=")
	switch {
	case assigned:
		return append(flags, runFlag{name, value, arg}), rest, nil
	case valued[name] && len(rest) == 0:
		return nil, nil, fmt.Errorf("%s lacks its value", arg)
	case valued[name]:
		return append(flags, runFlag{name, rest[0], arg + " " + rest[0]}), rest[1:], nil
	}
	return append(flags, runFlag{name, "true", arg}), rest, nil
}

// parseShort reads one argument of letters: switches, the last of which may be a flag that
// takes the rest of the argument, or the next argument, as its value.
func parseShort(flags []runFlag, arg string, rest []string) ([]runFlag, []string, error) {
	for letters := arg[1:]; letters != ""; letters = letters[1:] {
		name, known := shorthands[letters[0]]
		if !known {
			name = letters[:1]
		}
		switch {
		case len(letters) > 2 && letters[1] == '=':
			return append(flags, runFlag{name, letters[2:], arg}), rest, nil
		case !valued[name]:
			flags = append(flags, runFlag{name, "true", arg})
		case len(letters) > 1:
			return append(flags, runFlag{name, letters[1:], arg}), rest, nil
		case len(rest) == 0:
			return nil, nil, fmt.Errorf("%s lacks its value", arg)
		default:
			return append(flags, runFlag{name, rest[0], arg + " " + rest[0]}), rest[1:], nil
		}
	}
	return flags, rest, nil
}
