package azlocal

import (
	"context"
	"fmt"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources/v3"

	"mngr/internal/azlocal/machine"
	"mngr/internal/azlocal/machine/none"
)

// silent is a driver whose guests run and never report. Who looks at a machine waits until
// the test lets go, and tells whether it would have given up.
type silent struct {
	*none.Driver
	looked chan bool
	letGo  chan struct{}
}

func (d *silent) Create(ctx context.Context, spec machine.Spec, rules []machine.Rule) error {
	if err := d.Driver.Create(ctx, spec, rules); err != nil {
		return err
	}
	return fmt.Errorf("boot: %w", machine.ErrNotReported)
}

func (d *silent) State(ctx context.Context, key string) (machine.State, error) {
	_, limited := ctx.Deadline()
	d.looked <- limited
	<-d.letGo
	return d.Driver.State(ctx, key)
}

// TestGuestNeverReports wants a create whose guest was waited for in vain to end as on
// Azure, and everything else to be served while the driver is asked what became of it.
func TestGuestNeverReports(t *testing.T) {
	l := startLocal(t, nil)
	d := &silent{Driver: none.New(), looked: make(chan bool, 1), letGo: make(chan struct{})}
	l.driver, l.server.compute.Driver = d, d
	c, ctx := l.sdk(l.credential()), within(t)
	c.prepare(ctx)
	p, err := c.vms.BeginCreateOrUpdate(ctx, "rg", "vm", c.machine(nil), nil)
	if err != nil {
		t.Fatal(err)
	}
	if !<-d.looked {
		t.Error("a look at a machine may take for ever")
	}
	must[armresources.ResourceGroupsClientGetResponse](t)(c.groups.Get(ctx, "rg", nil))
	close(d.letGo)
	_, err = p.PollUntilDone(ctx, nil)
	wantCode(t, err, 200, "OSProvisioningTimedOut")
	vm := must[armcompute.VirtualMachinesClientGetResponse](t)(c.vms.Get(ctx, "rg", "vm", nil))
	if power := c.power(ctx); *vm.Properties.ProvisioningState != "Failed" || power != "running" {
		t.Errorf("%s, %s", *vm.Properties.ProvisioningState, power)
	}
}
