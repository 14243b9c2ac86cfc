package azure

import (
	"context"
	"maps"
	"net/http"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"

	"mngr/internal/agent"
)

// EditTags writes set and deletes remove in one request, which Azure refuses if anybody
// has written to the machine, or begun to change it, since host was read: then the error
// is agent.ErrChanged and nothing has happened. MergeTags is for tags that nobody reads
// before writing; here what is written was worked out from what was read.
func (p *Provider) EditTags(ctx context.Context, host agent.Host, set map[string]string, remove []string) (err error) {
	if host.Version == "" { // a cloud whose Compute is older than 2024-11-01
		return p.MergeTags(ctx, host.Resource, set, remove)
	}
	if err := checkChange(set, remove); err != nil {
		return err
	}
	ctx, done := agent.Within(ctx, agent.DeadlineOperation, "writing tags")
	defer done(&err)
	s, err := p.session(ctx)
	if err != nil {
		return err
	}
	name, err := p.machineName(s, host.Resource)
	if err != nil {
		return err
	}
	whole := edited(host.Tags, set, remove)
	if len(whole) > mostTags { // what others have put there is theirs to judge
		return tooMany(len(whole))
	}
	err = stubbornly(ctx, p, agent.DeadlineAccept, nil, func(ctx context.Context) error {
		// The tags are written once this is answered: whatever keeps the machine busy
		// afterwards is somebody else's.
		_, err := s.machines.BeginUpdate(ctx, p.settings.ResourceGroup, name, armcompute.VirtualMachineUpdate{Tags: sdkTags(whole)},
			&armcompute.VirtualMachinesClientBeginUpdateOptions{IfMatch: new(host.Version)})
		return err
	})
	if arm, ok := asARM(err); ok && arm.status == http.StatusPreconditionFailed {
		return agent.ErrChanged
	}
	return p.translate(err, "write tags")
}

// edited is have with set and without remove. Azure's names of tags know no case.
func edited(have, set map[string]string, remove []string) map[string]string {
	whole := maps.Clone(have)
	drop := func(name string) {
		maps.DeleteFunc(whole, func(other, _ string) bool { return strings.EqualFold(other, name) })
	}
	for _, name := range remove {
		drop(name)
	}
	for name := range set {
		drop(name)
	}
	if whole == nil {
		whole = map[string]string{}
	}
	maps.Copy(whole, set)
	return whole
}
