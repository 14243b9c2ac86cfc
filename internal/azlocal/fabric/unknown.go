package fabric

import (
	"fmt"
	"slices"
	"strings"
	"sync"
)

// Unknown is a behaviour of the real Azure that no source settles. Each plausible answer
// can be chosen; the first is the default.
type Unknown struct {
	Name     string
	Question string
	Answers  []string
}

// The switches. A client must work under every answer.
const (
	InlineIPSKU         = "inline-ip-sku"
	InlineIPQuota       = "inline-ip-quota"
	InlineNICIDs        = "inline-nic-ids"
	InlineTags          = "inline-tags"
	TagWriteInOperation = "tag-write-during-operation"
	ListWithGroupRights = "list-with-group-rights"
	AssignmentAfterVM   = "assignment-after-vm"
	ListExpand          = "list-expand-instanceview"
	DeallocatedQuota    = "deallocated-quota"

	InlineNetworkRights         = "inline-network-rights"
	AssignmentBeforeReplication = "assignment-before-replication"
	OSDiskRights                = "os-disk-rights"
)

// Unknowns lists every switch.
func Unknowns() []Unknown {
	return []Unknown{
		{InlineIPSKU, "a VM PUT whose inline public IP names a SKU", []string{"accepted", "refused"}},
		{InlineIPQuota, "a VM PUT whose inline public IP passes the limit", []string{"operation-fails", "refused"}},
		{InlineNICIDs, "when networkProfile.networkInterfaces names an inline NIC", []string{"while-creating", "when-succeeded"}},
		{InlineTags, "tags given on an inline NIC and public IP", []string{"kept", "absent"}},
		{TagWriteInOperation, "a tag write while an operation runs on the VM", []string{"conflict", "accepted", "preempts"}},
		{ListWithGroupRights, "a subscription's list for a caller with rights on a group only", []string{"filtered", "forbidden"}},
		{AssignmentAfterVM, "role assignments at the scope of a deleted VM", []string{"survives", "removed"}},
		{ListExpand, "$expand=instanceView on a VM list", []string{"refused", "accepted"}},
		{DeallocatedQuota, "cores of deallocated VMs in the quota", []string{"count", "free"}},
		{InlineNetworkRights, "a VM PUT with an inline NIC and address by one who may join the subnet but not write interfaces and addresses", []string{"accepted", "refused", "operation-fails"}},
		{OSDiskRights, "a VM PUT that makes the OS disk by one who may not write disks", []string{"accepted", "refused"}},
		{AssignmentBeforeReplication, "a role assignment with principalType for an identity that the directory does not show yet", []string{"accepted", "refused"}},
	}
}

// Switches are the chosen answers.
type Switches struct {
	mu     *sync.RWMutex
	chosen map[string]string
}

// NewSwitches starts from answers by name. Unknown names or answers are an error.
func NewSwitches(answers map[string]string) (Switches, error) {
	s := Switches{mu: &sync.RWMutex{}, chosen: map[string]string{}}
	for name, answer := range answers {
		if err := s.Choose(name, answer); err != nil {
			return s, err
		}
	}
	return s, nil
}

// Choose sets an answer.
func (s Switches) Choose(name, answer string) error {
	all := Unknowns()
	i := slices.IndexFunc(all, func(u Unknown) bool { return u.Name == name })
	if i < 0 {
		var names []string
		for _, u := range all {
			names = append(names, u.Name)
		}
		return fmt.Errorf("no switch is called %q; there are: %s", name, strings.Join(names, ", "))
	}
	if !slices.Contains(all[i].Answers, answer) {
		return fmt.Errorf("%q is no answer of the switch %s; choose one of: %s",
			answer, name, strings.Join(all[i].Answers, ", "))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.chosen[name] = answer
	return nil
}

// Is tells whether answer is chosen for the switch name.
func (s Switches) Is(name, answer string) bool { return s.All()[name] == answer }

// All returns every switch with its answer.
func (s Switches) All() map[string]string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := map[string]string{}
	for _, u := range Unknowns() {
		out[u.Name] = u.Answers[0]
		if a := s.chosen[u.Name]; a != "" {
			out[u.Name] = a
		}
	}
	return out
}
