package azure

import (
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"

	"mngr/internal/agent"
)

func TestState(t *testing.T) {
	const (
		compute, storage, unknown = agent.BillingCompute, agent.BillingStorage, agent.BillingUnknown
	)
	for _, c := range []struct {
		name    string
		f       facts
		state   agent.HostState
		billing agent.Billing
		failure string
	}{
		{"creating has no power state", facts{provisioning: "Creating"}, agent.HostCreating, compute, ""},
		{"creating and running already", facts{provisioning: "Creating", power: "running"}, agent.HostCreating, compute, ""},
		{"running", facts{provisioning: "Succeeded", power: "running"}, agent.HostRunning, compute, ""},
		{"running while tags are written", facts{provisioning: "Updating", power: "running"}, agent.HostRunning, compute, ""},
		{"starting", facts{provisioning: "Updating", power: "starting"}, agent.HostStarting, compute, ""},
		{"stopping", facts{provisioning: "Updating", power: "stopping"}, agent.HostStopping, compute, ""},
		{"deallocating", facts{provisioning: "Updating", power: "deallocating"}, agent.HostStopping, compute, ""},
		{"deallocated", facts{provisioning: "Succeeded", power: "deallocated"}, agent.HostStopped, storage, ""},
		{"shut down from inside", facts{provisioning: "Succeeded", power: "stopped"}, agent.HostStoppedBilling, compute, ""},
		{"deleting", facts{provisioning: "Deleting", power: "running"}, agent.HostDeleting, compute, ""},
		{"deleting a deallocated one", facts{provisioning: "Deleting", power: "deallocated"}, agent.HostDeleting, storage, ""},
		{"allocation failed", facts{provisioning: "Failed", failCode: "AllocationFailed", failText: "no room"},
			agent.HostFailed, unknown, "no room (AllocationFailed)"},
		{"failed without a word", facts{provisioning: "Failed"}, agent.HostFailed, unknown, "its last operation failed"},
		{"never reported in", facts{provisioning: "Failed", power: "running", failCode: "OSProvisioningTimedOut"},
			agent.HostFailed, compute, "OSProvisioningTimedOut"},
		{"a start that failed", facts{provisioning: "Failed", power: "deallocated", failCode: "AllocationFailed"},
			agent.HostStopped, storage, "AllocationFailed"},
		{"an update that failed", facts{provisioning: "Failed", power: "running", failCode: "Conflict"},
			agent.HostRunning, compute, "Conflict"},
		{"no view", facts{provisioning: "Succeeded"}, agent.HostUnknown, unknown, "Azure does not say whether it runs"},
		{"Azure says unknown", facts{provisioning: "Succeeded", power: "unknown"}, agent.HostUnknown, unknown, "Azure does not say whether it runs"},
		{"a state of tomorrow", facts{provisioning: "Succeeded", power: "levitating"}, agent.HostUnknown, unknown, "Azure does not say whether it runs"},
		{"migrating", facts{provisioning: "Migrating", power: "running"}, agent.HostRunning, compute, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			state, billing, failure := c.f.state()
			if state != c.state || billing != c.billing || failure != c.failure {
				t.Errorf("%+v is %s, %s, %q; want %s, %s, %q", c.f, state, billing, failure, c.state, c.billing, c.failure)
			}
		})
	}
}

func TestFactsOf(t *testing.T) {
	status := func(code, message string) *armcompute.InstanceViewStatus {
		return &armcompute.InstanceViewStatus{Code: new(code), Message: new(message)}
	}
	vm := &armcompute.VirtualMachine{Properties: &armcompute.VirtualMachineProperties{
		ProvisioningState: new("Failed"),
		InstanceView: &armcompute.VirtualMachineInstanceView{Statuses: []*armcompute.InstanceViewStatus{
			nil, {}, status("ProvisioningState/failed/AllocationFailed", "Allocation failed.\r\nMore words."),
			status("PowerState/deallocated", ""),
		}},
	}}
	want := facts{provisioning: "Failed", power: "deallocated", failCode: "AllocationFailed", failText: "Allocation failed. More words"}
	if got := factsOf(vm, nil); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	elsewhere := &armcompute.VirtualMachineInstanceView{Statuses: []*armcompute.InstanceViewStatus{status("PowerState/running", "")}}
	if got := factsOf(vm, elsewhere); got.power != "running" {
		t.Errorf("the view from the other list is not used: %+v", got)
	}
	if got := factsOf(&armcompute.VirtualMachine{}, nil); got != (facts{}) {
		t.Errorf("an empty machine gives %+v", got)
	}
}
