package compute

import (
	"context"
	"reflect"
	"strconv"
	"strings"

	"mngr/internal/azlocal/activity"
	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/doc"
	"mngr/internal/azlocal/fabric"
	"mngr/internal/azlocal/machine"
	"mngr/internal/azlocal/network"
)

// Resource types.
const (
	TypeVM   = "Microsoft.Compute/virtualMachines"
	TypeDisk = "Microsoft.Compute/disks"
)

// Names of jobs; those of actions are made from their names.
const (
	jobCreate  = "vm.create"
	jobUpdate  = "vm.update"
	jobTags    = "vm.tags"
	jobDelete  = "vm.delete"
	jobCascade = "vm.cascade"
	jobDisk    = "disk.put"
	jobDiskOff = "disk.delete"
	jobCommand = "vm.runCommand"
)

// Provider serves Microsoft.Compute.
type Provider struct {
	Driver machine.Driver
	Record func(activity.Entry) // notes what the platform does by itself
	world  *fabric.World
}

// Register adds the provider's types and jobs.
func (p *Provider) Register(w *fabric.World) {
	p.world = w
	w.Register(
		&fabric.Kind{Type: TypeVM, Tracked: true, ETag: nextETag, Refs: machineRefs, Counts: countMachine, Remove: removeMachine, SetTags: setMachineTags},
		&fabric.Kind{Type: TypeVM + "/scheduledEvents"},
		&fabric.Kind{Type: TypeDisk, Tracked: true, Remove: removeDisk},
	)
	for _, a := range actions() {
		w.Handle(a.job(), a.perform(p))
	}
	w.Handle(jobCreate, p.createJob())
	w.Handle(jobUpdate, updateJob(p))
	w.Handle(jobTags, tagsJob())
	w.Handle(jobDelete, p.deleteJob())
	w.Handle(jobCascade, cascadeJob())
	w.Handle(jobCommand, p.commandJob())
	w.Handle(jobDisk, diskJob())
	w.Handle(jobDiskOff, diskGoneJob())
}

// nextETag counts writes, as compute does since 2024-11-01.
func nextETag(old string) string {
	n, _ := strconv.Atoi(strings.Trim(old, `"`))
	return strconv.Quote(strconv.Itoa(n + 1))
}

// RulesChanged brings the rules of interfaces to the machines that run with them.
func (p *Provider) RulesChanged(ctx context.Context, interfaces []string) error {
	type change struct {
		key   string
		rules []machine.Rule
	}
	var changes []change
	p.world.View(func(t *fabric.Tx) {
		for _, nic := range interfaces {
			for _, vm := range t.Referrers(nic) {
				if d := t.Peek(vm); d != nil && powerOf(d) == Running && arm.Key(firstInterface(d)) == arm.Key(nic) {
					changes = append(changes, change{d.Hidden.Str("key"), network.Effective(t, nic)})
				}
			}
		}
	})
	for _, c := range changes {
		if err := p.Driver.SetRules(ctx, c.key, c.rules); err != nil {
			return err
		}
	}
	return nil
}

// refreshRules applies rules that changed while the driver was busy with a machine.
func (p *Provider) refreshRules(ctx context.Context, key, id string, applied []machine.Rule) error {
	_, now, ok := p.describe(id)
	if !ok || reflect.DeepEqual(applied, now) {
		return nil
	}
	return p.Driver.SetRules(ctx, key, now)
}

// ByKey returns the machine with a driver's key, nil when there is none. The caller must
// not change it.
func ByKey(t *fabric.Tx, key string) *fabric.Document {
	for _, id := range t.Referrers(keyRef(key)) {
		return t.Peek(id)
	}
	return nil
}

func keyRef(key string) string { return "machine:" + key }

func provisioning(d *fabric.Document) string { return d.Body.Str("properties", "provisioningState") }

func setProvisioning(t *fabric.Tx, d *fabric.Document, state string) {
	d.Body.Set(state, "properties", "provisioningState")
	d.Hidden["stateSince"] = fabric.Timestamp(t.World().Now())
	delete(d.Hidden, "failure")
}

// fail notes the error of an operation in the machine.
func fail(t *fabric.Tx, d *fabric.Document, op fabric.Operation) {
	setProvisioning(t, d, fabric.Failed)
	if op.Error != nil {
		d.Hidden["failure"] = map[string]any{"code": op.Error.Code, "message": op.Error.Message}
	}
}

func operation(_ *fabric.Tx, d *fabric.Document, job string, by arm.Principal) fabric.Operation {
	return fabric.Operation{Job: job, Target: d.ID, Family: fabric.ComputeFamily, Location: d.Body.Str("location"), Principal: by}
}

func conflict(verb string, d *fabric.Document, busy *fabric.Operation) error {
	if busy.Job == jobDelete {
		return notAllowed("Operation '%s' is not allowed on VM '%s' since the VM is marked for deletion. You can only retry the Delete operation (or wait for an ongoing one to complete).", verb, arm.Name(d.ID))
	}
	return arm.Errorf(409, "Conflict", "The request failed due to conflict with a concurrent request: there is already an operation in progress on VM '%s'. To resolve it, please refer to https://aka.ms/activitylog to get more details on the conflicting requests.", arm.Name(d.ID))
}

// tagged adds the ETag header, where the body has one.
func tagged(resp *arm.Response, body doc.Object) *arm.Response {
	if etag := body.Str("etag"); etag != "" {
		resp.Set("ETag", etag)
	}
	return resp
}

// settling hands the machine of an operation on, unless it is gone by the operation's end.
func settling(do func(t *fabric.Tx, d *fabric.Document, op fabric.Operation, err error)) func(*fabric.Tx, fabric.Operation, error) {
	return func(t *fabric.Tx, op fabric.Operation, err error) {
		if d := t.Get(op.Target); d != nil {
			do(t, d, op, err)
		}
	}
}
