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
)

var envName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

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
