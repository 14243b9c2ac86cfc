package azure

import (
	"context"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources/v3"

	"mngr/internal/agent"
)

// Tags that this package reads or insists upon. Their names are case-insensitive in Azure.
const (
	tagManagedBy = "managed-by"
	tagProvider  = "mngr-provider"
	tagHostID    = "mngr-host-id"
	tagHostName  = "mngr-host-name" // value with the prefix below
	tagUnsafe    = "mngr-unsafe"    // the container was started with what breaks its boundary
	tagCreatedAt = "mngr-created-at"

	tagCheck = "mngr-check" // the user's, on what `make azure-check` makes

	ourTags        = "mngr-" // begins the names of the others
	managedBy      = "mngr"
	hostNamePrefix = "mngr-"
)

// Azure's limits (Microsoft's page on tagging resources).
const (
	mostTags      = 50
	mostTagName   = 512
	mostTagValue  = 256
	badInTagNames = `<>%&\?/`
)

// tag reads a tag whatever the case of its name.
func tag(tags map[string]*string, name string) string {
	for k, v := range tags {
		if v != nil && strings.EqualFold(k, name) {
			return *v
		}
	}
	return ""
}

// ours tells whether a resource carries our owner's tag.
func ours(tags map[string]*string) bool { return tag(tags, tagManagedBy) == managedBy }

func plainTags(tags map[string]*string) map[string]string {
	out := make(map[string]string, len(tags))
	for k, v := range tags {
		if v != nil {
			out[k] = *v
		}
	}
	return out
}

func sdkTags(tags map[string]string) map[string]*string {
	out := make(map[string]*string, len(tags))
	for k, v := range tags {
		out[k] = new(v)
	}
	return out
}

// ownersOnly are the tags that a machine's parts carry: whose they are, with the user's
// own, and none that changes with the agents.
func ownersOnly(tags map[string]string) map[string]*string {
	out := map[string]*string{}
	for name, v := range tags {
		switch name {
		case tagManagedBy, tagProvider, tagHostID, tagHostName, tagCreatedAt, tagCheck:
		default:
			if strings.HasPrefix(strings.ToLower(name), ourTags) {
				continue
			}
		}
		if v != "" {
			out[name] = new(v)
		}
	}
	return out
}

// ownerTags go on what prepare makes.
func (s Settings) ownerTags() map[string]*string {
	return map[string]*string{tagManagedBy: new(managedBy)}
}

// hostTags completes what fleet gave with the tags without which a machine could
// neither be listed nor destroyed.
func (s Settings) hostTags(spec agent.MachineSpec) map[string]string {
	tags := maps.Clone(spec.Tags)
	if tags == nil {
		tags = map[string]string{}
	}
	tags[tagManagedBy] = managedBy
	tags[tagHostID] = string(spec.HostID)
	for name, value := range map[string]string{
		tagProvider: s.Name, tagHostName: hostNamePrefix + spec.HostName,
	} {
		if tags[name] == "" {
			tags[name] = value
		}
	}
	return tags
}

// identity tells the tags by which a machine is known as ours and as whose: who changes
// them loses it.
func identity(name string) bool {
	return strings.EqualFold(name, tagManagedBy) || strings.EqualFold(name, tagHostID)
}

// checkChange refuses a change of a machine's identity, and what Azure would refuse.
func checkChange(set map[string]string, remove []string) error {
	for _, name := range slices.Concat(slices.Collect(maps.Keys(set)), remove) {
		if identity(name) {
			return agent.Errorf(agent.KindInternal, "the tag %s of a machine never changes", name)
		}
	}
	return checkTags(set)
}

// checkTags refuses what Azure would refuse.
func checkTags(tags map[string]string) error {
	if len(tags) > mostTags {
		return tooMany(len(tags))
	}
	for name, value := range tags {
		switch {
		case name == "" || len(name) > mostTagName:
			return agent.Errorf(agent.KindUsage, "the tag name %.40q is empty or too long for Azure", name)
		case reservedPrefix(name):
			return agent.Errorf(agent.KindUsage, "the tag name %q begins like Azure's own", name)
		case strings.ContainsAny(name, badInTagNames) || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' }):
			return agent.Errorf(agent.KindUsage, "the tag name %q has a character that Azure refuses", name)
		case utf8.RuneCountInString(value) > mostTagValue:
			return agent.Errorf(agent.KindUsage, "the value of tag %q is longer than Azure's %d characters", name, mostTagValue)
		}
	}
	return nil
}

func tooMany(n int) error {
	return agent.Errorf(agent.KindUsage, "%d tags, and Azure takes %d on a machine", n, mostTags)
}

// reservedPrefix knows the beginnings that Azure keeps for itself.
func reservedPrefix(name string) bool {
	name = strings.ToLower(name)
	return strings.HasPrefix(name, "microsoft") || strings.HasPrefix(name, "azure") || strings.HasPrefix(name, "windows")
}

// MergeTags writes set and deletes remove, each in one request that leaves all other
// tags alone and that ARM carries out by itself.
func (p *Provider) MergeTags(ctx context.Context, resource string, set map[string]string, remove []string) (err error) {
	if err := checkChange(set, remove); err != nil {
		return err
	}
	ctx, done := agent.Within(ctx, agent.DeadlineOperation, "writing tags")
	defer done(&err)
	s, err := p.session(ctx)
	if err != nil {
		return err
	}
	if _, err := p.machineName(s, resource); err != nil {
		return err
	}
	if len(set) > 0 {
		if err := p.patchTags(ctx, s, resource, armresources.TagsPatchOperationMerge, sdkTags(set)); err != nil {
			return p.translate(err, "write tags")
		}
	}
	if len(remove) == 0 {
		return nil
	}
	gone, err := s.storedTags(ctx, resource, remove)
	if err != nil {
		return p.translate(err, "read tags")
	}
	if len(gone) == 0 {
		return nil
	}
	return p.translate(p.patchTags(ctx, s, resource, armresources.TagsPatchOperationDelete, gone), "delete tags")
}

// storedTags returns names with the values they have: ARM deletes pairs.
func (s *session) storedTags(ctx context.Context, resource string, names []string) (map[string]*string, error) {
	have, err := s.tags.GetAtScope(ctx, resource, nil)
	if err != nil {
		return nil, err
	}
	out := map[string]*string{}
	if have.Properties == nil {
		return out, nil
	}
	for k, v := range have.Properties.Tags {
		for _, name := range names {
			if strings.EqualFold(k, name) {
				out[k] = v
			}
		}
	}
	return out, nil
}

func (p *Provider) patchTags(ctx context.Context, s *session, resource string,
	operation armresources.TagsPatchOperation, tags map[string]*string) error {
	return stubbornly(ctx, p, agent.DeadlineAccept, nil, func(ctx context.Context) error {
		op, err := s.tags.BeginUpdateAtScope(ctx, resource, armresources.TagsPatchResource{
			Operation: new(operation), Properties: &armresources.Tags{Tags: tags},
		}, nil)
		return finish(ctx, p, op, err)
	})
}
