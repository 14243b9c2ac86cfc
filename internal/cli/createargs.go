package cli

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"mngr/internal/agent"
	"mngr/internal/config"
	"mngr/internal/ctl"
	"mngr/internal/fleet"
)

const validBuildArgs = "--azure-region=, --azure-vm-size=, --azure-spot"

// buildArgs reads the values of -b. Each is split like a shell line, so that one -b may
// carry several arguments; of repeated ones the last wins.
func buildArgs(o *fleet.CreateOptions, values []string) error {
	for _, v := range values {
		words, err := splitWords(v)
		if err != nil {
			return err
		}
		for _, word := range words {
			if err := buildArg(o, word); err != nil {
				return err
			}
		}
	}
	return nil
}

func buildArg(o *fleet.CreateOptions, word string) error {
	name, value, hasValue := strings.Cut(word, "=")
	switch {
	case name == "--azure-region" && hasValue:
		o.Region = value
	case name == "--azure-vm-size" && hasValue:
		o.Size = value
	case word == "--azure-spot":
		o.Spot = true
	case name == "--azure-spot":
		return agent.Errorf(agent.KindUsage, "%s: --azure-spot takes no value", word)
	case strings.HasPrefix(word, "--azure-"):
		return agent.Errorf(agent.KindUsage, "unknown azure build argument %q (valid: %s)", word, validBuildArgs)
	case strings.HasPrefix(word, "--vps-"):
		return agent.Errorf(agent.KindUsage, "%q is not supported any more", word).WithHint("use one of %s", validBuildArgs)
	default:
		return agent.Errorf(agent.KindUsage, "build argument %q: images are not built by this version", word).
			WithHint("name a ready one with --image; valid build arguments are %s", validBuildArgs)
	}
	return nil
}

var (
	envName   = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	imageName = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9._/:@-]*$`) // never looks like a flag
)

// environment reads the values of --env: KEY=VALUE, or KEY to pass one's own value on.
func environment(pairs []string, lookup func(string) (string, bool)) (map[string]string, error) {
	var env map[string]string
	for _, p := range pairs {
		name, value, given := strings.Cut(p, "=")
		if !envName.MatchString(name) {
			return nil, agent.Errorf(agent.KindUsage, "--env %q: a variable's name has letters, digits and _ and begins with no digit", name)
		}
		if !given {
			var ok bool
			if value, ok = lookup(name); !ok {
				return nil, agent.Errorf(agent.KindUsage, "--env %s: the variable is not set here", name).WithHint("--env %s=VALUE sets it", name)
			}
		}
		if env == nil {
			env = map[string]string{}
		}
		env[name] = value
	}
	return env, nil
}

func setIdle(idle *ctl.Idle, flags createFlags) error {
	if flags.idleMode != "" {
		idle.Mode = strings.ToLower(flags.idleMode)
	}
	if idle.Mode != "" && !slices.Contains(config.IdleModes(), idle.Mode) {
		return agent.Errorf(agent.KindUsage, "unknown idle mode %q (known: %s)", idle.Mode, strings.Join(config.IdleModes(), ", "))
	}
	if flags.idleTimeout != "" {
		d, err := parseDuration(flags.idleTimeout)
		if err != nil {
			return err
		}
		idle.TimeoutSeconds = int(d / time.Second)
	}
	return nil
}

// parseDuration reads seconds ("90") or units ("1h30m", "7d").
func parseDuration(s string) (time.Duration, error) {
	wrong := agent.Errorf(agent.KindUsage, "%q is no duration", s).WithHint("write seconds, or for example 90s, 15m, 1h30m, 7d")
	if n, err := strconv.Atoi(s); err == nil && n >= 0 {
		return time.Duration(n) * time.Second, nil
	}
	text := strings.ToLower(s)
	var total time.Duration
	if before, after, ok := strings.Cut(text, "d"); ok {
		days, err := strconv.Atoi(before)
		if err != nil || days < 0 {
			return 0, wrong
		}
		total, text = time.Duration(days)*24*time.Hour, after
		if text == "" {
			return total, nil
		}
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return 0, wrong
	}
	return total + d, nil
}

// splitWords splits like a POSIX shell: blanks, quotes and backslashes, nothing else.
func splitWords(s string) ([]string, error) {
	var words []string
	var word strings.Builder
	inWord := false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == ' ' || c == '\t' || c == '\n':
			if inWord {
				words, inWord = append(words, word.String()), false
				word.Reset()
			}
		case c == '\'' || c == '"':
			n, ok := quoted(s[i+1:], c, &word)
			if !ok {
				return nil, agent.Errorf(agent.KindUsage, "%q has a quote without its end", s)
			}
			i, inWord = i+n, true
		case c == '\\' && i+1 < len(s):
			i++
			word.WriteByte(s[i])
			inWord = true
		default:
			word.WriteByte(c)
			inWord = true
		}
	}
	if inWord {
		words = append(words, word.String())
	}
	return words, nil
}

// quoted copies up to the closing quote and returns how many bytes it passed.
func quoted(s string, quote byte, to *strings.Builder) (int, bool) {
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == quote:
			return i + 1, true
		case quote == '"' && s[i] == '\\' && i+1 < len(s) && strings.IndexByte(`"\$`+"`", s[i+1]) >= 0:
			i++
		}
		to.WriteByte(s[i])
	}
	return 0, false
}
