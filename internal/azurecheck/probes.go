package azurecheck

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Finding is one question with the answer seen. An empty Answer means: not asked, and
// Evidence says why.
type Finding struct {
	Switch   string // of the local Azure
	Question string
	Answer   string
	Evidence string
}

// failed is the error of a request that was answered, or not, in a way that ends the probe.
func failed(doing string, seen fmt.Stringer, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	return fmt.Errorf("%s: %s", doing, seen)
}

// inlineTags looks at the interface and the address that the machine's request made.
func (p *probe) inlineTags(ctx context.Context) (Finding, error) {
	f := Finding{Switch: "inline-tags", Question: "tags given on an inline NIC and public IP"}
	var nic struct {
		Tags       map[string]string
		Properties struct {
			IPConfigurations []struct {
				Properties struct{ PublicIPAddress struct{ ID string } }
			}
		}
	}
	a, err := p.c.send(ctx, http.MethodGet, p.nics[0], networkVersion, nil)
	if err != nil || a.into(&nic) != nil {
		return f, failed("read the probe's interface", a, err)
	}
	f.Answer, f.Evidence = "absent", fmt.Sprintf("NIC has %d tags", len(nic.Tags))
	kept := nic.Tags[tagName] != ""
	for _, c := range nic.Properties.IPConfigurations {
		if c.Properties.PublicIPAddress.ID == "" {
			continue
		}
		var ip struct{ Tags map[string]string }
		a, err := p.c.send(ctx, http.MethodGet, c.Properties.PublicIPAddress.ID, networkVersion, nil)
		if err != nil || a.into(&ip) != nil {
			return f, failed("read the probe's address", a, err)
		}
		f.Evidence += fmt.Sprintf(", public IP has %d", len(ip.Tags))
		if kept != (ip.Tags[tagName] != "") {
			f.Answer = "kept on one of them"
			return f, nil
		}
	}
	if kept {
		f.Answer = "kept"
	}
	return f, nil
}

func (p *probe) expand(ctx context.Context) (Finding, error) {
	f := Finding{Switch: "list-expand-instanceview", Question: "$expand=instanceView on a VM list"}
	a, err := p.c.send(ctx, http.MethodGet, p.group+"/providers/Microsoft.Compute/virtualMachines?$expand=instanceView", computeVersion, nil)
	f.Evidence, f.Answer = "GET virtualMachines: "+a.String(), "refused"
	if a.ok() {
		f.Answer = "accepted"
	}
	return f, err
}

// cores reads the region's quota of cores in use.
func (p *probe) usedCores(ctx context.Context) (int, error) {
	subscription, _, _ := strings.Cut(p.group, "/resourceGroups/")
	var list struct {
		Value []struct {
			CurrentValue int
			Name         struct{ Value string }
		}
	}
	a, err := p.c.send(ctx, http.MethodGet, subscription+"/providers/Microsoft.Compute/locations/"+p.region+"/usages", computeVersion, nil)
	if err != nil {
		return 0, err
	}
	if err := a.into(&list); err != nil {
		return 0, err
	}
	for _, u := range list.Value {
		if u.Name.Value == "cores" {
			return u.CurrentValue, nil
		}
	}
	return 0, fmt.Errorf("no usage of cores: %s", a)
}

// mostTries bounds the attempts to write a tag while an operation is still running.
const mostTries = 8

// duringOperation writes a tag while the machine is being deallocated, and then asks what
// became of both; it leaves the machine deallocated.
func (p *probe) duringOperation(ctx context.Context) (Finding, error) {
	f := Finding{Switch: "tag-write-during-operation", Question: "a tag write while an operation runs on the VM"}
	for try := 1; ; try++ {
		op, err := p.c.send(ctx, http.MethodPost, p.id+"/deallocate", computeVersion, nil)
		if err != nil || !op.ok() {
			return f, failed("deallocate the probe", op, err)
		}
		write, err := p.c.send(ctx, http.MethodPatch, p.id+"/providers/Microsoft.Resources/tags/default", tagsVersion,
			object{"operation": "Merge", "properties": object{"tags": object{"probe": fmt.Sprint(try)}}})
		if err != nil {
			return f, err
		}
		meanwhile, err := p.c.look(ctx, op.operation)
		if err != nil {
			return f, err
		}
		end, err := p.c.wait(ctx, op)
		if err != nil {
			return f, err
		}
		f.Evidence = fmt.Sprintf("PATCH tags: %s; the deallocation: %s", write, end)
		switch {
		case end.Error.Code == "OperationPreempted" || end.Status == "Canceled":
			f.Answer = "preempts"
		case write.status == http.StatusConflict:
			f.Answer = "conflict"
		case !write.ok():
			return f, fmt.Errorf("write a tag: %s", write)
		case !meanwhile.over(): // it was running before and after the write
			f.Answer = "accepted"
		case try < mostTries:
			if err := p.power(ctx, "start"); err != nil {
				return f, err
			}
			continue
		default:
			f.Answer, f.Evidence = "accepted", f.Evidence+" (it may have been over before)"
		}
		return f, p.power(ctx, "deallocate")
	}
}

func (p *probe) power(ctx context.Context, verb string) error {
	a, err := p.c.send(ctx, http.MethodPost, p.id+"/"+verb, computeVersion, nil)
	if err != nil {
		return err
	}
	if o, err := p.c.wait(ctx, a); err != nil || o.Status != "Succeeded" {
		return failed(verb+" the probe", o, err)
	}
	return nil
}

// quota compares the cores in use with the probe running and with it deallocated.
func (p *probe) quota(ctx context.Context, running int) (Finding, error) {
	f := Finding{Switch: "deallocated-quota", Question: "cores of deallocated VMs in the quota"}
	deallocated, err := p.usedCores(ctx)
	f.Evidence = fmt.Sprintf("cores in use in %s: %d running, %d deallocated", p.region, running, deallocated)
	switch running - deallocated {
	case 0:
		f.Answer = "count"
	case p.cores:
		f.Answer = "free"
	default:
		f.Answer = "unclear: other machines of the subscription changed too"
	}
	return f, err
}

const reader = "acdd72a7-3385-48ef-bd42-f606fba81ae7" // built-in role Reader, the same everywhere

// outlives gives the machine's identity a role on the machine, deletes the machine, and
// looks whether the assignment is still there after patience.
func (p *probe) outlives(ctx context.Context, patience time.Duration) (Finding, error) {
	f := Finding{Switch: "assignment-after-vm", Question: "role assignments at the scope of a deleted VM"}
	given, id, err := p.assign(ctx, p.id, p.principal)
	if err != nil {
		return f, err
	}
	if given.status == http.StatusForbidden {
		f.Evidence = "the login may not assign roles: " + given.String()
		return f, p.remove(ctx)
	}
	if err := p.remove(ctx); err != nil {
		return f, err
	}
	limit, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		a, err := p.c.send(ctx, http.MethodGet, id, rolesVersion, nil)
		if err != nil {
			return f, err
		}
		f.Evidence = "GET roleAssignments after the deletion: " + a.String()
		if a.status == http.StatusNotFound {
			f.Answer = "removed"
			return f, nil
		}
		if p.c.pause(limit) != nil {
			break
		}
	}
	f.Answer = "survives"
	f.Evidence += fmt.Sprintf(", %s later", patience)
	_, err = p.c.send(ctx, http.MethodDelete, id, rolesVersion, nil)
	return f, err
}

// assign makes a principal a Reader. A new identity takes a while to be known.
func (p *probe) assign(ctx context.Context, on, principal string) (given answer, id string, err error) {
	subscription, _, _ := strings.Cut(p.group, "/resourceGroups/")
	hex := randomHex(16)
	id = on + "/providers/Microsoft.Authorization/roleAssignments/" + strings.Join([]string{hex[:8], hex[8:12], hex[12:16], hex[16:20], hex[20:]}, "-")
	limit, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	for {
		given, err = p.c.send(limit, http.MethodPut, id, rolesVersion, object{"properties": object{
			"roleDefinitionId": subscription + "/providers/Microsoft.Authorization/roleDefinitions/" + reader,
			"principalId":      principal, "principalType": "ServicePrincipal"}})
		if err != nil || given.ok() || given.status == http.StatusForbidden {
			return given, id, err
		}
		if p.c.pause(limit) != nil {
			return given, id, fmt.Errorf("assign a role: %s", given)
		}
	}
}

func (p *probe) remove(ctx context.Context) error {
	a, err := p.c.send(ctx, http.MethodDelete, p.id, computeVersion, nil)
	if err != nil {
		return err
	}
	if o, err := p.c.wait(ctx, a); err != nil || o.Status != "Succeeded" {
		return failed("delete the probe", o, err)
	}
	return nil
}
