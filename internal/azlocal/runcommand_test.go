package azlocal

import (
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
)

// TestRunCommand runs a script at a machine without a guest, which says so; refuses what
// cannot be run, and a second script beside the first.
func TestRunCommand(t *testing.T) {
	l := startLocal(t, nil)
	c, ctx := l.sdk(l.credential()), within(t)
	c.made(ctx, c.machine(nil))
	shell := armcompute.RunCommandInput{CommandID: new("RunShellScript"), Script: []*string{new("echo SCRIPT-MARK")}}
	first, err := c.vms.BeginRunCommand(ctx, "rg", "vm", shell, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.vms.BeginRunCommand(ctx, "rg", "vm", shell, nil)
	wantCode(t, err, 409, "Conflict")
	if !strings.Contains(err.Error(), "Run command extension execution is in progress") {
		t.Errorf("%v", err)
	}
	out := done(ctx, t, first, nil).RunCommandResult
	if len(out.Value) != 1 || *out.Value[0].Code != "ProvisioningState/succeeded" || !strings.HasPrefix(*out.Value[0].Message, "Enable succeeded: \n[stdout]\n\n[stderr]\n") ||
		!strings.Contains(*out.Value[0].Message, "runs no guests") {
		t.Fatalf("%+v", out.Value)
	}
	for _, bad := range []armcompute.RunCommandInput{
		{CommandID: new("RunPowerShellScript"), Script: shell.Script}, {CommandID: new("Nonsense")}, {Script: shell.Script},
		{CommandID: new("RunShellScript"), Parameters: []*armcompute.RunCommandInputParameter{{Name: new("a;b"), Value: new("c")}}},
	} {
		_, err = c.vms.BeginRunCommand(ctx, "rg", "vm", bad, nil)
		wantCode(t, err, 400, "InvalidParameter")
	}
	c.deallocate(ctx, "vm")
	_, err = c.vms.BeginRunCommand(ctx, "rg", "vm", shell, nil)
	wantCode(t, err, 409, "OperationNotAllowed")
}

// TestRunCommandPreempted ends a script with its machine.
func TestRunCommandPreempted(t *testing.T) {
	l := startLocal(t, nil)
	c, ctx := l.sdk(l.credential()), within(t)
	c.made(ctx, c.machine(nil))
	script, err := c.vms.BeginRunCommand(ctx, "rg", "vm", armcompute.RunCommandInput{CommandID: new("ifconfig")}, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.vms.BeginStart(ctx, "rg", "vm", nil)
	wantCode(t, err, 409, "Conflict")
	c.deallocate(ctx, "vm")
	_, err = script.PollUntilDone(ctx, nil)
	wantCode(t, err, 200, "OperationPreempted")
}

// TestRunCommandDocuments lists the scripts that are ready.
func TestRunCommandDocuments(t *testing.T) {
	l := startLocal(t, nil)
	ctx := within(t)
	client := must[*armcompute.VirtualMachineRunCommandsClient](t)(armcompute.NewVirtualMachineRunCommandsClient(l.inst.Subscription, l.credential(), l.options()))
	page := must[armcompute.VirtualMachineRunCommandsClientListResponse](t)(client.NewListPager("westus", nil).NextPage(ctx))
	if len(page.Value) < 2 || *page.Value[0].ID != "RunShellScript" || *page.Value[0].OSType != "Linux" || *page.Value[0].Schema == "" {
		t.Fatalf("%+v", page.Value)
	}
	shown := must[armcompute.VirtualMachineRunCommandsClientGetResponse](t)(client.Get(ctx, "westus", "runshellscript", nil))
	if len(shown.Script) == 0 || len(shown.Parameters) != 2 {
		t.Fatalf("%+v", shown)
	}
	_, err := client.Get(ctx, "westus", "nonsense", nil)
	wantCode(t, err, 404, "NotFound")
}
