package compute

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/doc"
	"mngr/internal/azlocal/fabric"
	"mngr/internal/azlocal/machine"
)

const (
	commandTail = 4096             // bytes of each stream that come back (documentation: run-command)
	commandTime = 90 * time.Minute // until a script is given up (documentation: run-command)
)

// runCommand runs a script as root inside a machine, past its network and sshd.
func runCommand(t *fabric.Tx, r *arm.Request) (*arm.Response, error) {
	d, err := t.Find(r.ID)
	if err != nil {
		return nil, err
	}
	if r.Body == nil {
		return nil, needsBody()
	}
	spell(r.Body)
	input, err := commandInput(r.Body)
	if err != nil {
		return nil, err
	}
	if err := checkCommand(t, d); err != nil {
		return nil, err
	}
	setProvisioning(t, d, "Updating")
	t.Put(d)
	op := operation(t, d, jobCommand, r.Principal)
	op.Input = input
	return t.Accepted(r, t.Begin(op), fabric.Async{Status: http.StatusAccepted, Async: true, Location: true, RetryAfter: 10}), nil
}

// checkCommand refuses a machine that cannot run a script now. Texts: azure-cli#32305 for a
// second one, cloudypad#69 for one that is off.
func checkCommand(t *fabric.Tx, d *fabric.Document) error {
	busy := t.Busy(d.ID)
	switch {
	case busy != nil && busy.Job == jobCommand:
		return arm.Errorf(http.StatusConflict, "Conflict", "Run command extension execution is in progress. Please wait for completion before invoking a run command.")
	case busy != nil && busy.Job != jobTags:
		return conflict("runCommand", d, busy)
	case d.Hidden.Bool("generalized"):
		return notAllowed("Operation 'runCommand' is not allowed on VM '%s' since the VM is generalized.", arm.Name(d.ID))
	case powerOf(d) != Running:
		return needsRunning()
	case !hasAgent(d) || d.Body.Get("properties", "osProfile", "allowExtensionOperations") == false:
		return notAllowed("This operation cannot be performed when extension operations are disallowed. To allow, please ensure VM Agent is installed on the VM and the osProfile.allowExtensionOperations property is true.")
	}
	t.Preempt(d.ID)
	return nil
}

// commandJob runs the script of a request. It runs at most once: after a crash nobody knows
// how far it came.
func (p *Provider) commandJob() fabric.Job {
	return fabric.Job{
		Takes: fabric.RunCommand,
		Prepare: func(_ context.Context, op fabric.Operation) error {
			return p.world.Update(func(t *fabric.Tx) error {
				d := t.Get(op.Target)
				if d == nil {
					return nil
				}
				if d.Hidden.Str("command") == op.ID {
					return arm.Errorf(http.StatusInternalServerError, "InternalExecutionError", "An internal execution error occurred. Please retry later.")
				}
				d.Hidden["command"] = op.ID
				t.Put(d)
				return nil
			})
		},
		Answer: p.runScript,
		Settle: settling(func(t *fabric.Tx, d *fabric.Document, op fabric.Operation, err error) {
			// A script that could not run says nothing about the machine.
			setProvisioning(t, d, fabric.Succeeded)
			t.Put(d)
		}),
	}
}

func (p *Provider) runScript(ctx context.Context, op fabric.Operation) (doc.Object, error) {
	spec, _, ok := p.describe(op.Target)
	if !ok {
		return nil, arm.NotFound(op.Target)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, commandTime, errCommandTime)
	defer cancel()
	result, err := p.Driver.Exec(ctx, spec.Key, []string{"/bin/sh", "-s"}, strings.NewReader(wrapScript(op.Input)))
	switch {
	case errors.Is(err, machine.ErrNoGuest) && p.Driver.Name() == "none":
		// Saying so beats an empty output that looks like success.
		result.Stderr = []byte("The driver 'none' of the local Azure runs no guests: the script has not run.\n")
	case errors.Is(err, machine.ErrNoGuest):
		return nil, arm.Errorf(http.StatusConflict, "VMAgentStatusCommunicationError",
			"VM '%s' has not reported status for VM agent or extensions. Verify that the OS is up and healthy, the VM has a running VM agent, and that it can establish outbound connections to Azure storage.", spec.Name)
	case errors.Is(context.Cause(ctx), errCommandTime):
		return nil, arm.Errorf(http.StatusConflict, "VMExtensionProvisioningTimeout", "Provisioning of VM extension RunCommandLinux has timed out. Extension provisioning has taken too long to complete.")
	case err != nil:
		return nil, err
	}
	return commandOutput(result), nil
}

var errCommandTime = errors.New("the script took too long")

// commandOutput tells the ends of what a script wrote. Its exit status shows nowhere
// (azure-cli#14425).
func commandOutput(result machine.Result) doc.Object {
	text := "Enable succeeded: \n[stdout]\n" + tail(result.Stdout) + "\n[stderr]\n" + tail(result.Stderr)
	return doc.Object{"value": []any{doc.Object{"code": "ProvisioningState/succeeded", "level": "Info",
		"displayStatus": "Provisioning succeeded", "message": text}}}
}

func tail(stream []byte) string {
	if len(stream) > commandTail {
		stream = stream[len(stream)-commandTail:]
	}
	return strings.ToValidUTF8(string(stream), "\uFFFD")
}
