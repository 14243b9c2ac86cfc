package hostsetup

import (
	"encoding/csv"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"mngr/internal/agent"
)

// ours are flags that decide how mngr runs the container: nobody else may set them.
var ours = words(`attach cidfile detach detach-keys entrypoint help init interactive label-file name quiet
	restart rm sig-proxy stop-signal tty user`)

// breaking are flags that reach beyond the container whatever their value is.
var breaking = map[string]string{
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

// CheckStartArgs refuses further arguments of docker run that break the boundary between
// the container and its machine, or that change what mngr itself decides. Flags that it does
// not know are refused too. With unsafe only the second kind is refused.
//
// Errors are *agent.Error: agent.KindUsage for what is malformed or ours,
// agent.KindRefused for what unsafe would let pass.
func CheckStartArgs(args []string, unsafe bool) error {
	flags, err := parseFlags(args)
	if err != nil {
		return agent.Errorf(agent.KindUsage, "start argument %w", err)
	}
	for _, f := range flags {
		if ours[f.name] || f.name == "label" && strings.HasPrefix(f.value, "mngr-") {
			return agent.Errorf(agent.KindUsage, "start argument %q: mngr itself decides that", f.raw)
		}
		if target, hidden := hides(f); hidden {
			return agent.Errorf(agent.KindUsage, "start argument %q: mngr needs what is at %s", f.raw, target)
		}
		if unsafe {
			continue
		}
		if reason := breaks(f); reason != "" {
			return agent.Errorf(agent.KindRefused, "start argument %q %s", f.raw, reason).
				WithHint("agents are hostile code; --unsafe-start-args makes a host without this boundary and without an identity")
		}
	}
	return nil
}

// breaks says how f breaks the boundary, "" if it does not.
func breaks(f runFlag) string {
	if reason := breaking[f.name]; reason != "" {
		return reason
	}
	switch f.name {
	case "privileged":
		if off, err := strconv.ParseBool(f.value); err != nil || off {
			return "gives the container the whole machine"
		}
	case "net", "network":
		return breaksNetwork(f.value)
	case "pid", "ipc", "uts", "userns", "cgroupns":
		if !slices.Contains([]string{"", "private", "none", "shareable"}, f.value) {
			return "shares a namespace of the machine or of another container"
		}
	case "security-opt":
		if !slices.Contains([]string{"no-new-privileges", "no-new-privileges=true", "no-new-privileges:true"}, f.value) {
			return "loosens the container's confinement"
		}
	case "volume":
		return breaksVolume(f.value)
	case "mount":
		return breaksMount(f.value)
	}
	if !switches[f.name] && !valued[f.name] {
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
func hides(f runFlag) (string, bool) {
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
func targets(f runFlag) []string {
	switch f.name {
	case "volume":
		parts := strings.Split(f.value, ":")
		return parts[min(1, len(parts)-1):][:1]
	case "tmpfs":
		target, _, _ := strings.Cut(f.value, ":")
		return []string{target}
	case "mount":
		fields, _ := mountFields(f.value)
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
