package cli

import (
	"os"
	"strconv"
	"strings"

	"mngr/internal/agent"
	"mngr/internal/dockerbuild"
	"mngr/internal/fleet"
)

const validBuildArgs = "--azure-region=, --azure-vm-size=, --azure-spot, --git-depth="

// machineArgs are the build arguments that are not docker's.
type machineArgs struct {
	region, size string
	spot         bool
	gitDepth     int
}

// take keeps a word that is one of ours; the last of repeated ones wins, and an empty value
// is the default. What looks like one of ours and is none is an error. next is the word that
// follows, for the explanation.
func (m *machineArgs) take(word, next string) (taken bool, err error) {
	name, value, hasValue := strings.Cut(word, "=")
	switch name {
	case "--azure-region", "--azure-vm-size", "--git-depth":
		if !hasValue {
			return false, spaceSeparated(name, next)
		}
	case "--azure-spot":
		if hasValue {
			return false, agent.Errorf(agent.KindUsage, "build argument %q: --azure-spot takes no value", word).
				WithHint("leave it out for a machine that is not Spot")
		}
	}
	switch name {
	case "--azure-region":
		m.region = value
	case "--azure-vm-size":
		m.size = value
	case "--azure-spot":
		m.spot = true
	case "--git-depth":
		if m.gitDepth, err = gitDepth(value); err != nil {
			return false, err
		}
	default:
		return false, foreign(word)
	}
	return true, nil
}

func spaceSeparated(name, next string) error {
	example := "VALUE"
	if next != "" && !strings.HasPrefix(next, "-") {
		example = next
	}
	return agent.Errorf(agent.KindUsage, "build argument %q lacks its value: it is joined with =", name).WithHint("-b %s=%s", name, example)
}

func gitDepth(value string) (int, error) {
	if value == "" {
		return 0, nil
	}
	depth, err := strconv.Atoi(value)
	if err != nil || depth < 1 {
		return 0, agent.Errorf(agent.KindUsage, "--git-depth=%s: the number of commits is a whole number from 1 on", value).
			WithHint("-b --git-depth=1 takes the last commit alone")
	}
	return depth, nil
}

// foreign refuses what is meant for a machine, but not for one of Azure's.
func foreign(word string) error {
	name, value, _ := strings.Cut(word, "=")
	unknown := func(prefix string) bool { return strings.HasPrefix(name, prefix) }
	switch {
	case unknown("--azure-"):
		return agent.Errorf(agent.KindUsage, "unknown azure build argument %q (valid: %s)", word, validBuildArgs)
	case unknown("--vps-"):
		moved := map[string]string{
			"--vps-region": "--azure-region=", "--vps-plan": "--azure-vm-size=", "--vps-size": "--azure-vm-size=",
			"--vps-git-depth": "--git-depth=", "--vps-spot": "--azure-spot",
		}
		err := agent.Errorf(agent.KindUsage, "build argument %q: names that begin with --vps- are not supported any more", word)
		if now, ok := moved[name]; ok {
			if strings.HasSuffix(now, "=") {
				now += value
			}
			return err.WithHint("-b %s", now)
		}
		return err.WithHint("valid: %s", validBuildArgs)
	}
	for _, other := range []string{"aws", "gcp", "modal", "vultr", "lima", "ovh"} {
		if unknown("--" + other + "-") {
			return agent.Errorf(agent.KindUsage, "build argument %q belongs to the provider %s, and this host is made on Azure", word, other).
				WithHint("valid: %s", validBuildArgs)
		}
	}
	return nil
}

// buildArgs reads the values of -b: some shape the machine, all others are for docker build.
func buildArgs(o *fleet.CreateOptions, values []string) error {
	words, err := flatten(values)
	if err != nil {
		return err
	}
	var machine machineArgs
	var docker []string
	for i, word := range words {
		next := ""
		if i+1 < len(words) {
			next = words[i+1]
		}
		taken, err := machine.take(word, next)
		if err != nil {
			return err
		}
		if !taken {
			docker = append(docker, word)
		}
	}
	o.Region, o.Size, o.Spot = machine.region, machine.size, machine.spot
	if len(docker) == 0 && machine.gitDepth > 0 {
		return agent.Errorf(agent.KindUsage, "--git-depth shortens the history of an image that is built, and no build context is given").
			WithHint("add the directory, for example: -b .")
	}
	if len(docker) == 0 {
		return nil
	}
	return dockerBuild(o, docker, machine.gitDepth)
}

// dockerBuild checks a build with all that it reads.
func dockerBuild(o *fleet.CreateOptions, args []string, gitDepth int) error {
	if o.Image != "" {
		return agent.Errorf(agent.KindUsage, "--image %s and a build (%s) cannot both be had", o.Image, strings.Join(args, " ")).
			WithHint("FROM %s, in a Dockerfile, builds on that image", o.Image)
	}
	dir, err := os.Getwd()
	if err != nil {
		dir = "" // deleted: only absolute paths can be found
	}
	spec, err := dockerbuild.Parse(args, dockerbuild.Rules{Dir: dir, Lookup: os.LookupEnv, Unsafe: o.Unsafe})
	if err != nil {
		return err
	}
	spec.GitDepth = gitDepth
	if _, err := dockerbuild.Open(*spec); err != nil {
		return err
	}
	o.Build = &fleet.Build{Spec: *spec}
	return nil
}
