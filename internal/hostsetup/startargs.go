package hostsetup

import (
	"encoding/csv"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"mngr/internal/agent"
	"mngr/internal/dockerflags"
)

// ours are flags that decide how mngr runs the container: nobody else may set them.
var ours = []string{
	"attach", "cidfile", "detach", "detach-keys", "entrypoint", "help", "init", "interactive", "label-file", "name",
	"pull", "quiet", "restart", "rm", "sig-proxy", "stop-signal", "tty", "user",
}

// breaking are flags that reach beyond the container whatever their value is.
var breaking = map[string]string{
	"annotation":         "reconfigures the runtime",
	"cap-add":            "adds a capability",
	"cgroup-parent":      "leaves the container's control group",
	"device":             "hands over a device",
	"device-cgroup-rule": "hands over devices",
	"env-file":           "reads a file of the machine",
	"log-driver":         "lets the engine connect elsewhere",
	"log-opt":            "lets the engine connect elsewhere",
	"use-api-socket":     "hands over the engine",
	"volume-driver":      "mounts what the engine can reach",
	"volumes-from":       "mounts what others have mounted",
}

// StartRules are what CheckStartArgs depends on.
type StartRules struct {
	Unsafe  bool // what breaks the boundary may pass
	SSHPort int  // the machine's port on which the container serves SSH
}

// CheckStartArgs refuses further arguments of docker run that break the boundary between
// the container and its machine, or that change what mngr itself decides. Flags that it does
// not know are refused too. With Unsafe only the second kind is refused.
//
// Errors are *agent.Error: agent.KindUsage for what is malformed or ours,
// agent.KindRefused for what Unsafe would let pass.
func CheckStartArgs(args []string, rules StartRules) error {
	flags, words, err := dockerflags.Run().Parse(args)
	if err != nil {
		return agent.Errorf(agent.KindUsage, "start argument %w", err)
	}
	if len(words) > 0 {
		return agent.Errorf(agent.KindUsage, "start argument %q is no flag of docker run", words[0]).
			WithHint("the image is named with --image, and the command of the agent stands behind --")
	}
	for _, f := range flags {
		if reason := interferes(f, rules); reason != "" {
			return agent.Errorf(agent.KindUsage, "start argument %q: %s", f.Raw, reason)
		}
		if rules.Unsafe {
			continue
		}
		if reason := breaks(f); reason != "" {
			return agent.Errorf(agent.KindRefused, "start argument %q %s", f.Raw, reason).
				WithHint("agents are untrusted code, and --unsafe-start-args lets it pass and takes from the host its right to deallocate itself")
		}
	}
	return nil
}

// interferes says how f gets into the way of mngr's own work, "" if it does not.
func interferes(f dockerflags.Flag, rules StartRules) string {
	if slices.Contains(ours, f.Name) || f.Name == "label" && strings.HasPrefix(f.Value, "mngr-") {
		return "mngr itself decides that"
	}
	if (f.Name == "network" || f.Name == "net") && strings.EqualFold(f.Value, "none") {
		return "mngr could not reach the container"
	}
	if f.Name == "publish" {
		return interferingPort(f.Value, rules.SSHPort)
	}
	if target, hidden := hides(f); hidden {
		return "mngr needs what is at " + target
	}
	return ""
}

// interferingPort reads docker's [[IP:]PORTS:]PORTS[/PROTOCOL], where PORTS may be a range:
// the machine's ports for SSH are taken.
func interferingPort(value string, sshPort int) string {
	value, protocol, _ := strings.Cut(value, "/")
	parts := strings.Split(value, ":")
	if len(parts) < 2 || parts[len(parts)-2] == "" || protocol != "" && !strings.EqualFold(protocol, "tcp") {
		return "" // docker chooses the machine's port
	}
	low, high, isRange := strings.Cut(parts[len(parts)-2], "-")
	if !isRange {
		high = low
	}
	first, err := strconv.Atoi(low)
	last, err2 := strconv.Atoi(high)
	if err != nil || err2 != nil {
		return "the port is not understood"
	}
	for _, taken := range []int{22, sshPort} {
		if first <= taken && taken <= last {
			return "port " + strconv.Itoa(taken) + " of the machine serves SSH"
		}
	}
	return ""
}

// breaks says how f breaks the boundary, "" if it does not.
func breaks(f dockerflags.Flag) string {
	if reason := breaking[f.Name]; reason != "" {
		return reason
	}
	switch f.Name {
	case "privileged":
		if off, err := strconv.ParseBool(f.Value); err != nil || off {
			return "gives the container the whole machine"
		}
	case "net", "network":
		return breaksNetwork(f.Value)
	case "pid", "ipc", "uts", "userns", "cgroupns":
		if !slices.Contains([]string{"", "private", "none", "shareable"}, f.Value) {
			return "shares a namespace of the machine or of another container"
		}
	case "security-opt":
		if !slices.Contains([]string{"no-new-privileges", "no-new-privileges=true", "no-new-privileges:true"}, f.Value) {
			return "loosens the container's confinement"
		}
	case "volume":
		return breaksVolume(f.Value)
	case "mount":
		return breaksMount(f.Value)
	case "runtime":
		if !runtimeName.MatchString(f.Value) {
			return "names a program of the machine"
		}
	case "oom-kill-disable":
		if off, err := strconv.ParseBool(f.Value); err != nil || off {
			return "lets the container take all memory of the machine"
		}
	case "oom-score-adj":
		if n, err := strconv.Atoi(f.Value); err != nil || n < 0 {
			return "makes the kernel end the machine's own programs first"
		}
	}
	if !f.Known {
		return "is not known to be safe"
	}
	return ""
}

// breaksNetwork knows docker's two forms: NAME and name=NAME,alias=…
func breaksNetwork(value string) string {
	names := []string{value}
	if fields, err := csv.NewReader(strings.NewReader(value)).Read(); err == nil {
		for _, field := range fields {
			if key, name, ok := strings.Cut(field, "="); ok && strings.EqualFold(strings.TrimSpace(key), "name") {
				names = append(names, strings.TrimSpace(name))
			}
		}
	} else if value != "" {
		return "is not understood"
	}
	for _, name := range names {
		if strings.EqualFold(name, "host") || strings.HasPrefix(strings.ToLower(name), "container:") {
			return "shares the network of the machine or of another container"
		}
	}
	return ""
}

// runtimeName has no slash: newer engines take a path to a program as well.
var runtimeName = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_.-]*$`)

// volumeName is docker's own rule (volume/names/names.go).
var volumeName = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_.-]*$`)

// breaksVolume allows PATH and NAME:PATH[:OPTIONS].
func breaksVolume(value string) string {
	source, _, named := strings.Cut(value, ":")
	if named && !volumeName.MatchString(source) {
		return "mounts a directory of the machine"
	}
	return ""
}

// breaksMount allows named and anonymous volumes with the engine's defaults, and tmpfs.
func breaksMount(value string) string {
	fields, ok := mountFields(value)
	if !ok {
		return "is not understood"
	}
	if kind := fields["type"]; kind != "" && kind != "volume" && kind != "tmpfs" {
		return "mounts what is not the container's own"
	}
	for _, key := range []string{"source", "src"} {
		if source := fields[key]; source != "" && !volumeName.MatchString(source) {
			return "mounts a directory of the machine"
		}
	}
	for key := range fields {
		if key == "volume-driver" || key == "volume-opt" || strings.HasPrefix(key, "bind-") {
			return "mounts what the engine can reach"
		}
	}
	return ""
}

func mountFields(value string) (map[string]string, bool) {
	reader := csv.NewReader(strings.NewReader(value))
	record, err := reader.Read()
	if err != nil {
		return nil, false
	}
	fields := map[string]string{}
	for _, field := range record {
		key, v, _ := strings.Cut(field, "=")
		key = strings.ToLower(strings.TrimSpace(key))
		if _, twice := fields[key]; twice && key != "volume-opt" {
			return nil, false
		}
		fields[key] = strings.TrimSpace(v)
	}
	return fields, true
}

// hides tells whether f mounts something over what mngr has in the container.
func hides(f dockerflags.Flag) (string, bool) {
	for _, target := range targets(f) {
		target = path.Clean("/" + target)
		for _, needed := range []string{GuestMount, DataMount, SignalDir} {
			above := target == "/" || strings.HasPrefix(needed+"/", target+"/")
			inside := needed != DataMount && strings.HasPrefix(target, needed+"/")
			if above || inside {
				return needed, true
			}
		}
	}
	return "", false
}

// targets are the places in the container that f mounts on.
func targets(f dockerflags.Flag) []string {
	switch f.Name {
	case "volume":
		parts := strings.Split(f.Value, ":")
		return parts[min(1, len(parts)-1):][:1]
	case "tmpfs":
		target, _, _ := strings.Cut(f.Value, ":")
		return []string{target}
	case "mount":
		fields, _ := mountFields(f.Value)
		var found []string
		for _, key := range []string{"target", "dst", "destination"} {
			if fields[key] != "" {
				found = append(found, fields[key])
			}
		}
		return found
	}
	return nil
}
