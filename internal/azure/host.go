package azure

import (
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"

	"mngr/internal/agent"
	"mngr/internal/plain"
)

// mostName is how long Azure's own words for a machine may be: longer than any is.
const mostName = 100

// hostOf is a machine as fleet sees it, without its address.
func (p *Provider) hostOf(vm *armcompute.VirtualMachine, view *armcompute.VirtualMachineInstanceView) agent.Host {
	h := agent.Host{
		Name:      plain.Line(text(vm.Name), mostName),
		Provider:  p.settings.Name,
		Tags:      plainTags(vm.Tags),
		CreatedAt: createdAt(vm),
		Resource:  p.resource(text(vm.ID)),
		Version:   text(vm.Etag),
	}
	identify(&h, vm.Tags)
	h.Region = normalRegion(plain.Line(text(vm.Location), mostName))
	if vm.Properties != nil && vm.Properties.HardwareProfile != nil && vm.Properties.HardwareProfile.VMSize != nil {
		h.Size = plain.Line(string(*vm.Properties.HardwareProfile.VMSize), mostName)
	}
	f := factsOf(vm, view)
	h.State, h.Billing, h.Failure = f.state()
	h.ChangedAt, h.Disks = f.changed, disksOf(vm)
	h.Spot = isSpot(vm)
	h.MakerKey, h.Maker = maker(vm)
	if vm.Identity == nil || vm.Identity.Type == nil || *vm.Identity.Type == armcompute.ResourceIdentityTypeNone {
		h.SelfStop, h.SelfStopWhy = new(false), "the machine has no identity"
	}
	return h
}

// maker reads the key that a machine was made with, and whose it is: Azure returns public
// keys as they were given.
func maker(vm *armcompute.VirtualMachine) (key, who string) {
	if vm.Properties == nil || vm.Properties.OSProfile == nil || vm.Properties.OSProfile.LinuxConfiguration == nil {
		return "", ""
	}
	given := vm.Properties.OSProfile.LinuxConfiguration.SSH
	if given == nil || len(given.PublicKeys) == 0 || given.PublicKeys[0] == nil {
		return "", ""
	}
	fields := strings.SplitN(strings.TrimSpace(text(given.PublicKeys[0].KeyData)), " ", 3)
	if len(fields) > 2 {
		who = plain.Line(fields[2], mostMaker)
	}
	return strings.Join(fields[:min(2, len(fields))], " "), who
}

// mostMaker bounds what is shown of a key's comment, which anybody may have written.
const mostMaker = 80

// identify takes from the tags what can be an id or a name. Others write tags, too, and
// these become parts of paths, of lines on a terminal, and of commands in hints.
func identify(h *agent.Host, tags map[string]*string) {
	h.ID = hostID(tags)
	if name := strings.TrimPrefix(tag(tags, tagHostName), hostNamePrefix); agent.CheckName("host", name) == nil {
		h.Name = name
	}
	if provider := tag(tags, tagProvider); agent.CheckName("provider", provider) == nil {
		h.Provider = provider
	}
}

// hostID reads the host id off a resource; "" where there is none that could be one.
func hostID(tags map[string]*string) agent.HostID {
	id, _ := agent.ParseHostID(tag(tags, tagHostID))
	return id
}

// resource spells the group in a machine's id as the settings do: Azure's lists put it
// in upper case, and callers compare.
func (p *Provider) resource(id string) string {
	parsed, err := arm.ParseResourceID(id)
	if err != nil || !strings.EqualFold(parsed.ResourceGroupName, p.settings.ResourceGroup) {
		return id
	}
	return "/subscriptions/" + parsed.SubscriptionID + "/resourceGroups/" + p.settings.ResourceGroup +
		"/providers/Microsoft.Compute/virtualMachines/" + parsed.Name
}

// createdAt prefers Azure's word to the tag.
func createdAt(vm *armcompute.VirtualMachine) time.Time {
	if vm.Properties != nil && vm.Properties.TimeCreated != nil {
		return vm.Properties.TimeCreated.UTC()
	}
	if t, err := time.Parse(time.RFC3339Nano, tag(vm.Tags, tagCreatedAt)); err == nil {
		return t.UTC()
	}
	return time.Time{}
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// machineName returns the name of this instance's machine. A host's machine is named the
// same in every subscription and group, so that another instance's must be refused:
// here it would be somebody else's, or look absent.
func (p *Provider) machineName(s *session, resource string) (string, error) {
	id, err := arm.ParseResourceID(resource)
	if err != nil || !strings.EqualFold(id.ResourceType.String(), "Microsoft.Compute/virtualMachines") {
		return "", agent.Errorf(agent.KindInternal, "%q is no machine of Azure", resource)
	}
	if !strings.EqualFold(id.SubscriptionID, s.subscription) {
		return "", agent.Errorf(agent.KindRefused, "machine %s is in subscription %s, and provider %s acts in %s",
			id.Name, id.SubscriptionID, p.settings.Name, s.subscription).
			WithHint("mngr config set providers.NAME.subscription_id %s # for an instance of its own", id.SubscriptionID)
	}
	if !strings.EqualFold(id.ResourceGroupName, p.settings.ResourceGroup) {
		return "", agent.Errorf(agent.KindRefused, "machine %s is in resource group %s, and provider %s acts in %s",
			id.Name, id.ResourceGroupName, p.settings.Name, p.settings.ResourceGroup).
			WithHint("mngr config set providers.NAME.resource_group %s # for an instance of its own", id.ResourceGroupName)
	}
	return id.Name, nil
}
