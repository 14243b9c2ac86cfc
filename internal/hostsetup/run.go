package hostsetup

import (
	"strconv"
	"strings"
)

// Container is the one container of a host.
type Container struct {
	Name      string // "mngr" but in tests
	Volume    string // Docker volume with the agents' data, "mngr-data" but in tests
	GuestDir  string // on the machine, read-only in the container
	SignalDir string // on the machine, the tmpfs that the container may write

	Image     string
	HostID    string
	HostName  string
	Provider  string
	SSHPort   int
	StartArgs []string // as CheckStartArgs accepted them
}

// StopTimeout is how many seconds the container gets to end: more than `mngrd init`
// takes to end its agents.
const StopTimeout = 30

// RunArgs returns what follows `docker run` or `docker create`: our arguments, then the
// user's (the last one wins), the image and what mngrd does in it. Docker must not start
// the container by itself: `mngrd vm` does.
func RunArgs(c Container) []string {
	args := []string{
		"--name", c.Name,
		"--user", "0",
		"--entrypoint", GuestMount + "/mngrd",
		"--restart", "no",
		"--hostname", hostname(c.HostName),
		"--publish", strconv.Itoa(c.SSHPort) + ":22",
		"--mount", "type=volume,source=" + c.Volume + ",target=" + DataMount,
		"--mount", "type=bind,source=" + c.GuestDir + ",target=" + GuestMount + ",readonly",
		"--mount", "type=bind,source=" + c.SignalDir + ",target=" + SignalDir,
		"--stop-timeout", strconv.Itoa(StopTimeout),
		// Bounded, whatever the engine's default is: the container shares the machine's disk.
		"--log-driver", "local", "--log-opt", "max-size=10m",
		"--label", "mngr-host-id=" + c.HostID,
		"--label", "mngr-host-name=" + c.HostName,
		"--label", "mngr-provider=" + c.Provider,
	}
	args = append(args, c.StartArgs...)
	return append(args, c.Image, "init")
}

// hostname turns a host's name into one that the kernel takes (letters, digits, hyphens and
// dots, at most 63 characters).
func hostname(name string) string {
	mapped := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '.':
			return r
		}
		return '-'
	}, name)
	mapped = strings.Trim(mapped[:min(len(mapped), 63)], "-.")
	if mapped == "" {
		return "mngr"
	}
	return mapped
}
