package network

import (
	"context"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/doc"
	"mngr/internal/azlocal/fabric"
	"mngr/internal/azlocal/resources"
)

// Resource types.
const (
	TypeVNet      = "Microsoft.Network/virtualNetworks"
	TypeSubnet    = "Microsoft.Network/virtualNetworks/subnets"
	TypeNSG       = "Microsoft.Network/networkSecurityGroups"
	TypeRule      = "Microsoft.Network/networkSecurityGroups/securityRules"
	TypePublicIP  = "Microsoft.Network/publicIPAddresses"
	TypeInterface = "Microsoft.Network/networkInterfaces"

	typeIPConfiguration = TypeInterface + "/ipConfigurations"
)

// Provider serves Microsoft.Network.
type Provider struct {
	// RulesChanged applies the security rules of interfaces to the machines that have
	// them; it returns when they hold. The compute provider sets it.
	RulesChanged func(ctx context.Context, interfaces []string) error
}

const (
	jobSettle = "network.settle"
	jobRemove = "network.remove"
	// Addresses come and go faster than the others.
	jobAddress    = "network.publicIP"
	jobAddressOff = "network.publicIP.remove"
	jobNIC        = "network.interface"
	jobNICOff     = "network.interface.remove"
	jobLook       = "network.look"
)

// Register adds the provider's types and jobs.
func (p *Provider) Register(w *fabric.World) {
	etag := func(string) string { return `W/"` + uuid.NewString() + `"` }
	w.Register(
		&fabric.Kind{Type: TypeVNet, ETag: etag, Tracked: true, Render: renderVNet, Remove: removeVNet},
		&fabric.Kind{Type: TypeSubnet, Refs: subnetRefs, Render: renderSubnet, Remove: removeSubnet},
		&fabric.Kind{Type: TypeNSG, ETag: etag, Tracked: true, Render: renderNSG, Remove: removeNSG},
		&fabric.Kind{Type: TypeRule, Render: withFamilyTag, Remove: removeRule},
		&fabric.Kind{Type: TypePublicIP, ETag: etag, Tracked: true, Refs: publicIPRefs, Counts: countPublicIP, Render: renderPublicIP, Remove: removePublicIP},
		&fabric.Kind{Type: TypeInterface, ETag: etag, Tracked: true, Refs: interfaceRefs, Render: renderInterface, Remove: removeInterface},
	)
	settled := func(t *fabric.Tx, op fabric.Operation, err error) {
		if err != nil {
			fail(t, op.Target)
			return
		}
		settle(t, op.Target)
	}
	w.Handle(jobSettle, fabric.Job{Takes: fabric.NetworkWrite, Work: p.apply(w), Settle: settled})
	w.Handle(jobAddress, fabric.Job{Takes: fabric.AddressWrite, Work: p.apply(w), Settle: settled})
	w.Handle(jobNIC, fabric.Job{Takes: fabric.InterfaceWrite, Work: p.apply(w), Settle: settled})
	removed := func(t *fabric.Tx, op fabric.Operation, err error) {
		if err != nil {
			fail(t, op.Target)
			return
		}
		for _, below := range t.Below(op.Target) {
			t.Delete(below.ID)
		}
		t.Delete(op.Target)
		touch(t, op.Target)
	}
	w.Handle(jobRemove, fabric.Job{Takes: fabric.NetworkDelete, Work: p.apply(w), Settle: removed})
	w.Handle(jobAddressOff, fabric.Job{Takes: fabric.AddressDelete, Work: p.apply(w), Settle: removed})
	w.Handle(jobLook, fabric.Job{})
	w.Handle(jobNICOff, fabric.Job{Takes: fabric.InterfaceDelete, Settle: interfaceGone})
}

// apply brings rules to the machines when the target of an operation decides about them.
func (p *Provider) apply(w *fabric.World) func(context.Context, fabric.Operation) error {
	return func(ctx context.Context, op fabric.Operation) error {
		var interfaces []string
		w.View(func(t *fabric.Tx) { interfaces = governed(t, op.Target) })
		if len(interfaces) == 0 || p.RulesChanged == nil {
			return nil
		}
		return p.RulesChanged(ctx, interfaces)
	}
}

// envelope makes the body of a resource from the one that was PUT.
func envelope(t *fabric.Tx, r *arm.Request, resourceType string) (*fabric.Document, doc.Object, error) {
	if r.Body == nil {
		return nil, nil, arm.Errorf(http.StatusBadRequest, "InvalidRequestContent", "The request content was invalid: a body is required.")
	}
	if err := checkName(resourceType, arm.Name(r.ID)); err != nil {
		return nil, nil, err
	}
	old := t.Get(r.ID)
	if err := stays(t, r, old); err != nil {
		return nil, nil, err
	}
	etag := ""
	if old != nil {
		etag = old.Body.Str("etag")
	}
	if err := arm.CheckMatch(r, r.ID, etag); err != nil {
		return nil, nil, err
	}
	tags, err := arm.ReadTags(r.Body)
	if err != nil {
		return nil, nil, err
	}
	location, err := checkLocation(r, old)
	if err != nil {
		return nil, nil, err
	}
	d := &fabric.Document{ID: r.ID, Body: newBody(r.ID, resourceType, location, tags)}
	props := d.Body.Obj("properties")
	if old != nil {
		props["resourceGuid"] = old.Body.Str("properties", "resourceGuid")
		d.Hidden = old.Hidden
	}
	return d, props, nil
}

func newBody(id, resourceType, location string, tags map[string]string) doc.Object {
	body := doc.Object{
		"name": arm.Name(id), "id": id, "type": resourceType, "location": location,
		"properties": doc.Object{"provisioningState": "Updating", "resourceGuid": uuid.NewString()},
	}
	if len(tags) > 0 {
		body["tags"] = doc.OfStrings(tags)
	}
	return body
}

func checkLocation(r *arm.Request, old *fabric.Document) (string, error) {
	location := resources.Normalize(r.Body.Str("location"))
	switch {
	case location == "":
		return "", arm.Gatewayf(http.StatusBadRequest, "LocationRequired", "The location property is required for this definition.")
	case !resources.IsRegion(location):
		return "", arm.Gatewayf(http.StatusBadRequest, "LocationNotAvailableForResourceType",
			"The provided location '%s' is not available for resource type '%s'. List of available regions for the resource type is '%s'.",
			location, arm.ParseID(r.ID).Type(), strings.Join(resources.RegionNames(), ","))
	case old != nil && old.Body.Str("location") != location:
		return "", arm.Gatewayf(http.StatusConflict, "InvalidResourceLocation",
			"The resource '%s' already exists in location '%s' in resource group '%s'. A resource with the same name cannot be created in location '%s'. Please select a new resource name.",
			arm.Name(r.ID), old.Body.Str("location"), arm.ParseID(r.ID).Group, location)
	}
	return location, nil
}

// store writes d and starts the operation that ends in Succeeded.
func store(t *fabric.Tx, r *arm.Request, d *fabric.Document, location string, retryAfter int, notify bool) *arm.Response {
	status := http.StatusCreated
	if t.Peek(d.ID) != nil {
		status = http.StatusOK
	}
	t.Put(d)
	job := jobSettle
	if arm.ParseID(d.ID).Type() == TypePublicIP {
		job = jobAddress
	}
	op := t.Begin(fabric.Operation{Job: job, Target: d.ID, Family: fabric.NetworkFamily, Location: location, Principal: r.Principal})
	return t.Accepted(r, op, fabric.Async{Status: status, Body: t.Render(t.Peek(d.ID)), Async: true, Notify: notify, RetryAfter: retryAfter})
}

// remove starts the deletion of a resource that nothing uses any more.
func remove(t *fabric.Tx, d *fabric.Document, job string, opt fabric.RemoveOptions) string {
	if op := t.Busy(d.ID); op != nil && op.Job == job {
		return op.ID
	}
	d.Body.Set("Deleting", "properties", "provisioningState")
	t.Put(d)
	return t.Begin(fabric.Operation{Job: job, Target: d.ID, Family: fabric.NetworkFamily, Location: locationOf(t, d), Principal: opt.Principal}).ID
}

func deleting(d *fabric.Document) bool {
	return d == nil || d.Body.Str("properties", "provisioningState") == "Deleting"
}

// fail marks a resource whose operation failed. It stays as it is.
func fail(t *fabric.Tx, id string) {
	if d := t.Get(id); d != nil {
		d.Body.Set(fabric.Failed, "properties", "provisioningState")
		t.Put(d)
	}
}

func settle(t *fabric.Tx, id string) {
	d := t.Get(id)
	if deleting(d) {
		return
	}
	d.Body.Set(fabric.Succeeded, "properties", "provisioningState")
	switch arm.ParseID(id).Type() {
	case TypePublicIP:
		giveAddress(t, d)
	case TypeVNet, TypeNSG:
		for _, child := range t.Below(id) {
			settle(t, child.ID)
		}
	}
	t.Put(d)
	touch(t, id)
}

// patchTags replaces the tags of a resource at once, as recorded.
func patchTags(t *fabric.Tx, r *arm.Request) (*arm.Response, error) {
	d, err := t.Find(r.ID)
	if err != nil {
		return nil, err
	}
	if err := arm.CheckMatch(r, d.ID, d.Body.Str("etag")); err != nil {
		return nil, err
	}
	if r.Body["tags"] != nil {
		tags, err := arm.ReadTags(r.Body)
		if err != nil {
			return nil, err
		}
		d.Body["tags"] = doc.OfStrings(tags)
		t.Put(d)
	}
	return arm.OK(t.Render(t.Peek(d.ID))).Set("Azure-AsyncNotification", "Enabled"), nil
}

// idList is a list of {"id": …}.
func idList(ids []string) []any {
	out := []any{}
	for _, id := range ids {
		out = append(out, doc.Object{"id": id})
	}
	return out
}
