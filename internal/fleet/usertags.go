package fleet

import (
	"maps"
	"strings"

	"mngr/internal/agent"
	"mngr/internal/records"
)

// checkTag is the tag of what `make azure-check` makes: the one name with our prefix that
// a user may write.
const checkTag = "mngr-check"

// CheckUserTag refuses names that are ours, or Azure's own, and what no tag may hold.
func CheckUserTag(name, value string) error {
	lower := strings.ToLower(name)
	switch {
	case lower == records.ManagedBy || strings.HasPrefix(lower, "mngr-") && lower != checkTag:
		return agent.Errorf(agent.KindUsage, "the tag %q is reserved for mngr", name).WithHint("choose another name")
	case strings.HasPrefix(lower, "microsoft") || strings.HasPrefix(lower, "azure") || strings.HasPrefix(lower, "windows"):
		return agent.Errorf(agent.KindUsage, "the tag %q is reserved for Azure", name).WithHint("choose another name")
	case name == "" || len(name) > 512 || strings.ContainsAny(name, `<>%&\?/`) || strings.ContainsFunc(name+value, control):
		return agent.Errorf(agent.KindUsage, "%q is no name of a tag of Azure's", name)
	case len([]rune(value)) > 256:
		return agent.Errorf(agent.KindUsage, "the value of tag %q is longer than Azure's 256 characters", name)
	}
	return nil
}

func control(r rune) bool { return r < ' ' || r == 0x7f }

// withUserTags adds what the user wants on every resource of a host, and counts.
func withUserTags(tags, user map[string]string) (map[string]string, error) {
	if err := records.Fits(tags, user); err != nil {
		return nil, err
	}
	all := maps.Clone(tags)
	maps.Copy(all, user)
	return all, nil
}
