package azure

import (
	"cmp"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"

	"mngr/internal/agent"
	"mngr/internal/plain"
)

// facts are all that a machine's state is judged by.
type facts struct {
	provisioning string // Creating, Updating, Succeeded, Failed, Deleting …
	power        string // running, deallocated …; "" where Azure does not say
	failCode     string // of a failed operation, for example AllocationFailed
	failText     string
}

// factsOf reads a machine and its instance view, which may come from elsewhere.
func factsOf(vm *armcompute.VirtualMachine, view *armcompute.VirtualMachineInstanceView) facts {
	var f facts
	if vm.Properties != nil {
		if vm.Properties.ProvisioningState != nil {
			f.provisioning = *vm.Properties.ProvisioningState
		}
		if view == nil {
			view = vm.Properties.InstanceView
		}
	}
	if view == nil {
		return f
	}
	for _, st := range view.Statuses {
		if st == nil || st.Code == nil {
			continue
		}
		kind, value, _ := strings.Cut(strings.ToLower(*st.Code), "/")
		switch kind {
		case "powerstate":
			if f.power != "" && f.power != value {
				value = contradicted
			}
			f.power = value
		case "provisioningstate":
			f.readFailure(*st.Code, st.Message)
		}
	}
	return f
}

// contradicted is no power state of Azure's: a machine of which it names two is in neither.
const contradicted = "contradicted"

// readFailure takes "ProvisioningState/failed/AllocationFailed" and its message.
func (f *facts) readFailure(code string, message *string) {
	parts := strings.Split(code, "/")
	if len(parts) < 2 || !strings.EqualFold(parts[1], "failed") {
		return
	}
	if f.provisioning == "" {
		f.provisioning = "Failed"
	}
	if len(parts) > 2 {
		f.failCode = plain.Line(parts[2], 80)
	}
	if message != nil {
		f.failText = oneLine(*message)
	}
}

// state is what a user sees, what it costs, and why it failed if it did.
//
// A failed operation on a machine that ran before leaves it where it was, and its power
// state tells where. A machine that never ran has no power state, or runs a system that
// never reported in.
func (f facts) state() (agent.HostState, agent.Billing, string) {
	provisioning := strings.ToLower(f.provisioning)
	state, billing := f.powered()
	switch provisioning {
	case "creating":
		return agent.HostCreating, agent.BillingCompute, ""
	case "deleting":
		return agent.HostDeleting, billing, ""
	case "failed", "canceled":
		reason := f.reason()
		if f.power == "" || f.power == "unknown" || strings.HasPrefix(strings.ToLower(f.failCode), "osprovisioning") {
			return agent.HostFailed, billing, reason
		}
		return state, billing, reason
	}
	if state == agent.HostUnknown {
		return state, billing, "Azure does not say whether it runs"
	}
	return state, billing, ""
}

// powered maps the power states. Only a deallocated machine costs no compute: one that
// is merely stopped keeps its place (Microsoft's page on states and billing).
func (f facts) powered() (agent.HostState, agent.Billing) {
	switch f.power {
	case "starting":
		return agent.HostStarting, agent.BillingCompute
	case "running":
		return agent.HostRunning, agent.BillingCompute
	case "stopping", "deallocating":
		return agent.HostStopping, agent.BillingCompute
	case "stopped":
		return agent.HostStoppedBilling, agent.BillingCompute
	case "deallocated":
		return agent.HostStopped, agent.BillingStorage
	}
	return agent.HostUnknown, agent.BillingUnknown
}

func (f facts) reason() string {
	switch {
	case f.failText != "" && f.failCode != "":
		return sentence(f.failText) + " (" + f.failCode + ")"
	case f.failText != "":
		return sentence(f.failText)
	case f.failCode != "":
		return f.failCode
	}
	return "its last operation failed"
}

// failed is the error of a failed machine, as its operation's own would be.
func (f facts) failed() error {
	return armError{code: f.failCode, message: cmp.Or(f.failText, "its last operation failed")}
}
