package azlocal

import (
	"errors"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources/v3"

	"mngr/internal/azlocal/compute"
	"mngr/internal/azlocal/fabric"
	"mngr/internal/azlocal/machine/none"
)

// TestKilledInACreate ends the process, as far as its state can tell, right after a create
// was accepted, and wants the next one to finish it: same ids, same address.
func TestKilledInACreate(t *testing.T) {
	l := startLocal(t, nil)
	c, ctx := l.sdk(l.credential()), within(t)
	c.prepare(ctx)
	accepted, err := c.vms.BeginCreateOrUpdate(ctx, "rg", "vm", c.machine(nil), nil)
	if err != nil {
		t.Fatal(err)
	}
	before := must[armcompute.VirtualMachinesClientGetResponse](t)(c.vms.Get(ctx, "rg", "vm", nil))
	resume := must[string](t)(accepted.ResumeToken())
	if err := l.server.close(); err != nil {
		t.Fatal(err)
	}
	l.driver = none.New()
	port := l.inst.Endpoint()
	l.open(false)
	c = l.sdk(l.credential())
	// The port is another one in this test; the daemon keeps its own.
	resumed, err := c.vms.BeginCreateOrUpdate(ctx, "rg", "", armcompute.VirtualMachine{}, &armcompute.VirtualMachinesClientBeginCreateOrUpdateOptions{
		ResumeToken: strings.ReplaceAll(resume, port, l.inst.Endpoint())})
	after := done(ctx, t, resumed, err)
	if *after.Properties.VMID != *before.Properties.VMID || *after.Identity.PrincipalID != *before.Identity.PrincipalID {
		t.Fatalf("not the same machine: %+v, %+v", before, after)
	}
	view := must[armcompute.VirtualMachinesClientInstanceViewResponse](t)(c.vms.InstanceView(ctx, "rg", "vm", nil))
	if p := powerState(&view.VirtualMachineInstanceView); p != "running" {
		t.Fatalf("power state %q", p)
	}
}

// TestGuestPowersOff wants a machine that switched itself off to be stopped and billed on,
// until it is deallocated.
func TestGuestPowersOff(t *testing.T) {
	l := startLocal(t, nil)
	c, ctx := l.sdk(l.credential()), within(t)
	c.prepare(ctx)
	create, err := c.vms.BeginCreateOrUpdate(ctx, "rg", "vm", c.machine(nil), nil)
	done(ctx, t, create, err)
	look := func() (s compute.VMStatus) {
		l.server.world.View(func(t *fabric.Tx) { s = compute.Status(t)[0] })
		return s
	}
	l.server.PoweredOff(look().Key)
	if s := look(); s.Power != compute.Stopped || !s.Billed {
		t.Fatalf("after power off: %+v", s)
	}
	p, err := c.vms.BeginDeallocate(ctx, "rg", "vm", nil)
	done(ctx, t, p, err)
	if s := look(); s.Power != compute.Deallocated || s.Billed {
		t.Fatalf("after deallocate: %+v", s)
	}
}

// TestRulesReachTheDriver changes one rule and looks at what the driver got.
func TestRulesReachTheDriver(t *testing.T) {
	l := startLocal(t, nil)
	c, ctx := l.sdk(l.credential()), within(t)
	c.prepare(ctx)
	create, err := c.vms.BeginCreateOrUpdate(ctx, "rg", "vm", c.machine(nil), nil)
	done(ctx, t, create, err)
	opens := func(port uint16) bool {
		var key string
		l.server.world.View(func(t *fabric.Tx) { key = compute.Status(t)[0].Key })
		for _, r := range l.driver.(*none.Driver).Rules(key) {
			for _, p := range r.Ports {
				if r.Allow && p.First <= port && port <= p.Last {
					return true
				}
			}
		}
		return false
	}
	if !opens(22) || opens(8080) {
		t.Fatal("the rules of the create did not reach the driver")
	}
	add, err := c.rules.BeginCreateOrUpdate(ctx, "rg", "nsg", "web", armnetwork.SecurityRule{Properties: &armnetwork.SecurityRulePropertiesFormat{
		Access: new(armnetwork.SecurityRuleAccessAllow), Direction: new(armnetwork.SecurityRuleDirectionInbound), Protocol: new(armnetwork.SecurityRuleProtocolTCP), Priority: new(int32(1001)),
		SourceAddressPrefix: new("*"), SourcePortRange: new("*"), DestinationAddressPrefix: new("*"), DestinationPortRange: new("8080")}}, nil)
	done(ctx, t, add, err)
	if !opens(8080) || !opens(22) {
		t.Fatal("a new rule did not reach the driver, or took another's place")
	}
	drop, err := c.rules.BeginDelete(ctx, "rg", "nsg", "web", nil)
	done(ctx, t, drop, err)
	if opens(8080) || !opens(22) {
		t.Fatal("the deletion of a rule did not reach the driver")
	}
}

// TestTags merges, replaces and deletes tags at the scope of a machine, and refuses the
// fifty-first.
func TestTags(t *testing.T) {
	l := startLocal(t, nil)
	c, ctx := l.sdk(l.credential()), within(t)
	c.prepare(ctx)
	create, err := c.vms.BeginCreateOrUpdate(ctx, "rg", "vm", c.machine(map[string]*string{"a": new("1"), "B": new("2")}), nil)
	vm := done(ctx, t, create, err)
	write := func(op armresources.TagsPatchOperation, tags map[string]*string) error {
		p, err := c.tags.BeginUpdateAtScope(ctx, *vm.ID, armresources.TagsPatchResource{Operation: &op, Properties: &armresources.Tags{Tags: tags}}, nil)
		if err == nil {
			_, err = p.PollUntilDone(ctx, nil)
		}
		return err
	}
	if err := write(armresources.TagsPatchOperationMerge, map[string]*string{"b": new("3"), "c": new("4")}); err != nil {
		t.Fatal(err)
	}
	if err := write(armresources.TagsPatchOperationDelete, map[string]*string{"a": new("1")}); err != nil {
		t.Fatal(err)
	}
	got := must[armcompute.VirtualMachinesClientGetResponse](t)(c.vms.Get(ctx, "rg", "vm", nil))
	if len(got.Tags) != 2 || *got.Tags["B"] != "3" || *got.Tags["c"] != "4" {
		t.Fatalf("tags: %v", got.Tags)
	}
	many := map[string]*string{}
	for i := range 49 {
		many["n"+strings.Repeat("x", i)] = new("")
	}
	wantCode(t, write(armresources.TagsPatchOperationMerge, many), 400, "InvalidTagCount")
	wantCode(t, write(armresources.TagsPatchOperationMerge, map[string]*string{"v": new(strings.Repeat("x", 257))}), 400, "InvalidTagValue")
	if err := write(armresources.TagsPatchOperationMerge, map[string]*string{"v": new(strings.Repeat("x", 256))}); err != nil {
		t.Fatal(err)
	}
}

// TestTagWriteInOperation tries each answer of the switch.
func TestTagWriteInOperation(t *testing.T) {
	for answer, refused := range map[string]bool{"conflict": true, "accepted": false, "preempts": false} {
		t.Run(answer, func(t *testing.T) {
			l := startLocal(t, map[string]string{fabric.TagWriteInOperation: answer})
			c, ctx := l.sdk(l.credential()), within(t)
			c.prepare(ctx)
			create, err := c.vms.BeginCreateOrUpdate(ctx, "rg", "vm", c.machine(nil), nil)
			if err != nil {
				t.Fatal(err)
			}
			_, err = c.tags.BeginUpdateAtScope(ctx, c.id("Microsoft.Compute/virtualMachines/vm"), armresources.TagsPatchResource{
				Operation: new(armresources.TagsPatchOperationMerge), Properties: &armresources.Tags{Tags: map[string]*string{"k": new("v")}}}, nil)
			if refused {
				wantCode(t, err, 409, "ConflictingConcurrentWriteNotAllowed")
			} else if err != nil {
				t.Fatal(err)
			}
			_, err = create.PollUntilDone(ctx, nil)
			if answer == "preempts" {
				wantCode(t, err, 200, "OperationPreempted")
			} else if err != nil {
				t.Fatal(err)
			}
		})
	}
}

// TestRefusals lists wrong creates; the good one beside them is accepted.
func TestRefusals(t *testing.T) {
	l := startLocal(t, nil)
	c, ctx := l.sdk(l.credential()), within(t)
	c.prepare(ctx)
	for name, bad := range map[string]struct {
		change func(*armcompute.VirtualMachine)
		status int
		code   string
	}{
		"size": {func(v *armcompute.VirtualMachine) {
			v.Properties.HardwareProfile.VMSize = new(armcompute.VirtualMachineSizeTypes("Standard_X"))
		}, 400, "InvalidParameter"},
		"image": {func(v *armcompute.VirtualMachine) { v.Properties.StorageProfile.ImageReference.SKU = new("99") }, 404, "PlatformImageNotFound"},
		"user":  {func(v *armcompute.VirtualMachine) { v.Properties.OSProfile.AdminUsername = new("root") }, 400, "InvalidParameter"},
		"spot": {func(v *armcompute.VirtualMachine) {
			v.Properties.Priority = new(armcompute.VirtualMachinePriorityTypesSpot)
		}, 400, "AzureSpotIsNotSupportedForThisVMSize"},
		"data": {func(v *armcompute.VirtualMachine) { v.Properties.OSProfile.CustomData = new("not base64!") }, 400, "InvalidParameter"},
		"subnet": {func(v *armcompute.VirtualMachine) {
			v.Properties.NetworkProfile.NetworkInterfaceConfigurations[0].Properties.IPConfigurations[0].Properties.Subnet.ID = new(c.id("Microsoft.Network/virtualNetworks/vnet/subnets/none"))
		}, 400, "InvalidResourceReference"},
		"tag value": {func(v *armcompute.VirtualMachine) { v.Tags = map[string]*string{"a": new(strings.Repeat("x", 300))} }, 400, "InvalidTagValue"},
		"region":    {func(v *armcompute.VirtualMachine) { v.Location = new("atlantis") }, 400, "LocationNotAvailableForResourceType"},
	} {
		v := c.machine(nil)
		bad.change(&v)
		_, err := c.vms.BeginCreateOrUpdate(ctx, "rg", "vm", v, nil)
		t.Log(name)
		wantCode(t, err, bad.status, bad.code)
	}
	if page := must[armcompute.VirtualMachinesClientListResponse](t)(c.vms.NewListPager("rg", nil).NextPage(ctx)); len(page.Value) != 0 {
		t.Fatalf("a refused create left %d machines", len(page.Value))
	}
	create, err := c.vms.BeginCreateOrUpdate(ctx, "rg", "vm", c.machine(nil), nil)
	made := done(ctx, t, create, err)
	_, err = c.vms.NewListPager("rg", &armcompute.VirtualMachinesClientListOptions{Expand: new(armcompute.ExpandTypeForListVMsInstanceView)}).NextPage(ctx)
	wantCode(t, err, 400, "InvalidParameter")
	all := must[armcompute.VirtualMachinesClientListAllResponse](t)(c.vms.NewListAllPager(&armcompute.VirtualMachinesClientListAllOptions{StatusOnly: new("true")}).NextPage(ctx))
	if len(all.Value) != 1 || powerState(all.Value[0].Properties.InstanceView) != "running" || !strings.Contains(*all.Value[0].ID, "/resourceGroups/RG/") || !strings.EqualFold(*all.Value[0].ID, *made.ID) {
		t.Fatalf("status list: %+v", all.Value)
	}
	nsg, err := c.nsgs.BeginDelete(ctx, "rg", "nsg", nil)
	wantCode(t, err, 400, "InUseNetworkSecurityGroupCannotBeDeleted")
	_ = nsg
	_, err = c.vnets.BeginDelete(ctx, "rg", "vnet", nil)
	wantCode(t, err, 400, "InUseSubnetCannotBeDeleted")
	_, err = c.vnets.BeginCreateOrUpdate(ctx, "rg", "vnet", armnetwork.VirtualNetwork{Location: new("westus"), Properties: &armnetwork.VirtualNetworkPropertiesFormat{
		AddressSpace: &armnetwork.AddressSpace{AddressPrefixes: []*string{new("10.0.0.0/16")}}}}, nil)
	wantCode(t, err, 400, "InUseSubnetCannotBeDeleted")
}

// TestLogin refuses a wrong secret as Entra does, and takes the right one.
func TestLogin(t *testing.T) {
	l := startLocal(t, nil)
	ctx := within(t)
	good := l.sdk(l.credential())
	must[armresources.ProvidersClientGetResponse](t)(good.providers.Get(ctx, "Microsoft.Compute", nil))
	_, err := l.sdk(l.login("wrong")).groups.Get(ctx, "rg", nil)
	var failed *azidentity.AuthenticationFailedError
	if !errors.As(err, &failed) || !strings.Contains(err.Error(), "AADSTS7000215") {
		t.Fatalf("got %v", err)
	}
	_, err = l.sdk(fixed("a.b.c")).groups.Get(ctx, "rg", nil)
	wantCode(t, err, 401, "InvalidAuthenticationToken")
	r := l.raw(ctx)
	if got := r.do(ctx, "GET", "/subscriptions", ""); got.Status != 400 || !strings.Contains(string(got.Body), "MissingApiVersionParameter") {
		t.Fatalf("no api-version: %d %s", got.Status, got.Body)
	}
	r.token = ""
	if got := r.do(ctx, "GET", "/subscriptions?api-version=2022-12-01", ""); got.Status != 401 || got.Header.Get("WWW-Authenticate") == "" {
		t.Fatalf("no token: %d %v", got.Status, got.Header)
	}
}

// TestTakenNameAgain deletes a machine and makes another of its name while the cascade of
// the first still runs: the second keeps its interface and address.
func TestTakenNameAgain(t *testing.T) {
	l := startLocal(t, nil)
	l.set(t, map[string]string{fabric.VMCascade: "400ms"})
	c, ctx := l.sdk(l.credential()), within(t)
	c.prepare(ctx)
	create, err := c.vms.BeginCreateOrUpdate(ctx, "rg", "vm", c.machine(nil), nil)
	first := done(ctx, t, create, err)
	del, err := c.vms.BeginDelete(ctx, "rg", "vm", nil)
	done(ctx, t, del, err)
	again := c.machine(nil)
	_, err = c.vms.BeginCreateOrUpdate(ctx, "rg", "vm", again, nil)
	wantCode(t, err, 409, "ConflictingUserInput") // its disk's name is still taken
	again.Properties.StorageProfile.OSDisk.Name = new("other-os")
	create, err = c.vms.BeginCreateOrUpdate(ctx, "rg", "vm", again, nil)
	second := done(ctx, t, create, err)
	old, mine := *first.Properties.NetworkProfile.NetworkInterfaces[0].ID, *second.Properties.NetworkProfile.NetworkInterfaces[0].ID
	for {
		var left, kept bool
		l.server.world.View(func(t *fabric.Tx) { left, kept = t.Peek(old) != nil, t.Peek(mine) != nil })
		if !kept {
			t.Fatal("the second machine lost its interface")
		}
		if !left {
			return
		}
		if ctx.Err() != nil {
			t.Fatal("the first machine's interface is left")
		}
	}
}
