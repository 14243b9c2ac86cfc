package agent

import (
	"regexp"
	"strings"
)

// maxName keeps tmux session, container and VM names below every limit that applies to
// them (a host name becomes a DNS label of at most 63 characters).
const maxName = 63

var namePattern = regexp.MustCompile(`^[a-zA-Z0-9]([a-zA-Z0-9_-]*[a-zA-Z0-9])?$`)

// CheckName refuses a name that agents, hosts and provider instances cannot have.
// what says whose name it is, for the message.
func CheckName(what, name string) error {
	switch {
	case name == "":
		return Errorf(KindUsage, "%s name is empty", what)
	case len(name) > maxName:
		return Errorf(KindUsage, "%s name %q is longer than %d characters", what, name, maxName)
	case !namePattern.MatchString(name):
		return Errorf(KindUsage, "%s name %q is not made of letters, digits, - and _ (first and last a letter or digit)", what, name)
	}
	return nil
}

// Address names an agent: NAME_OR_ID[@HOST[.PROVIDER]]. For a new agent, Host may be
// empty while Provider is not ("a@.azure": a new host there).
type Address struct {
	Agent    string
	Host     string
	Provider string
}

// ParseAddress reads an agent's address. Host and provider are optional.
func ParseAddress(s string) (Address, error) {
	name, location, located := strings.Cut(s, "@")
	a := Address{Agent: name}
	if _, err := ParseHostAddress(s); name == "" && err == nil {
		return Address{}, Errorf(KindUsage, "%s is a host, and an agent is asked for", s).
			WithHint("mngr list # shows its agents; write AGENT%s", s)
	}
	if err := CheckName("agent", name); err != nil {
		return Address{}, err
	}
	if !located {
		return a, nil
	}
	a.Host, a.Provider, _ = strings.Cut(location, ".")
	if a.Host == "" && a.Provider == "" {
		return Address{}, Errorf(KindUsage, "address %q names no host after @", s)
	}
	return a, checkLocation(a)
}

// ParseHostAddress reads [@]HOST[.PROVIDER]; the host is required.
func ParseHostAddress(s string) (Address, error) {
	var a Address
	a.Host, a.Provider, _ = strings.Cut(strings.TrimPrefix(s, "@"), ".")
	if err := CheckName("host", a.Host); err != nil {
		return Address{}, err
	}
	return a, checkLocation(a)
}

func checkLocation(a Address) error {
	if a.Host != "" {
		if err := CheckName("host", a.Host); err != nil {
			return err
		}
	}
	if a.Provider != "" {
		return CheckName("provider", a.Provider)
	}
	return nil
}

func (a Address) String() string {
	s := a.Agent
	if a.Host != "" || a.Provider != "" {
		s += "@" + a.Host
	}
	if a.Provider != "" {
		s += "." + a.Provider
	}
	return s
}
