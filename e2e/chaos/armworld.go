package chaos

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"mngr/e2e/rig"
)

// group is the resource group that mngr prepares, where all of ours is.
const group = "/SUB/resourceGroups/mngr"

// api-versions of the requests that a test sends itself.
const (
	computeAPI   = "2024-07-01"
	diskAPI      = "2024-03-02"
	networkAPI   = "2024-05-01"
	resourcesAPI = "2021-04-01"
	rolesAPI     = "2022-04-01"
)

// settleLimit bounds the waits for what the local Azure has under way, which takes
// milliseconds, on a computer that has other things to do.
const settleLimit = 20 * time.Second

// world is a local Azure in which attempts are made, one after the other.
type world struct {
	azure    *rig.Azure
	arm      *rig.Client
	operator *rig.Operator // who prepares it
	prepared bool
}

func newWorld(ctx context.Context, t testing.TB) (*world, error) {
	w := &world{azure: rig.Start(t, rig.Options{})} //nolint:contextcheck // it lives as long as the test
	// An operation ends long before its first poll, so that the number of polls is one.
	if err := w.azure.Set(ctx, map[string]string{"latency.create": "20ms", "latency.start": "20ms", "latency.deallocate": "20ms", "latency.delete": "20ms"}); err != nil {
		return nil, err
	}
	var err error
	if w.arm, err = rig.NewClient(ctx, w.azure.Dir); err != nil {
		return nil, err
	}
	t.Cleanup(w.arm.Close)
	w.operator, err = w.somebody("admin")
	return w, err
}

// region is one of which the local Azure knows all prices.
const region = "eastus"

// somebody returns an operator with an empty home.
func (w *world) somebody(name string) (*rig.Operator, error) {
	who, err := w.azure.Operator(name)
	if err != nil {
		return nil, err
	}
	who.Env = []string{"MNGR__PROVIDERS__AZURE_LOCAL__DEFAULT_REGION=" + region}
	who.Limit = patience
	return who, nil
}

// prepare makes the world prepared, or bare.
func (w *world) prepare(ctx context.Context, wanted bool) error {
	verb := map[bool]string{true: "prepare", false: "cleanup"}[wanted]
	if w.prepared == wanted {
		return nil
	}
	err := w.operator.Must(ctx, nil, "azure", verb, "--provider", rig.Provider)
	w.prepared = wanted && err == nil
	return err
}

// send sends a request of the test's own, which must be accepted, and decodes the answer.
func (w *world) send(ctx context.Context, method, path, version string, body, out any) error {
	var data []byte
	if body != nil {
		var err error
		if data, err = json.Marshal(body); err != nil {
			return fmt.Errorf("%s %s: %w", method, path, err)
		}
	}
	status, answer, err := w.arm.Do(ctx, method, path+"?api-version="+version, data)
	if err != nil {
		return err
	}
	if status >= http.StatusMultipleChoices {
		return fmt.Errorf("%s %s: status %d: %s", method, path, status, answer)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(answer, out)
}

// resource is a row of any list of ARM's.
type resource struct {
	ID         string            `json:"id"`
	Name       string            `json:"name"`
	Tags       map[string]string `json:"tags"`
	Properties struct {
		Provisioning string `json:"provisioningState"`
		Scope        string `json:"scope"`
		RoleType     string `json:"type"`
	} `json:"properties"`
}

func (w *world) list(ctx context.Context, path, version string) ([]resource, error) {
	var all struct {
		Value []resource `json:"value"`
	}
	return all.Value, w.send(ctx, http.MethodGet, path, version, nil, &all)
}

// belongings lists all that belongs to hosts: machines, parts, assignments on machines.
func (w *world) belongings(ctx context.Context) ([]resource, error) {
	groups, err := w.list(ctx, "/SUB/resourceGroups", resourcesAPI)
	if err != nil {
		return nil, err
	}
	var all []resource
	if slices.ContainsFunc(groups, func(r resource) bool { return r.Name == "mngr" }) {
		for _, kind := range []struct{ kind, version string }{
			{"Compute/virtualMachines", computeAPI}, {"Compute/disks", diskAPI}, {"Network/networkInterfaces", networkAPI}, {"Network/publicIPAddresses", networkAPI},
		} {
			some, err := w.list(ctx, group+"/providers/Microsoft."+kind.kind, kind.version)
			if err != nil {
				return nil, err
			}
			all = append(all, some...)
		}
	}
	roles, err := w.list(ctx, "/SUB/providers/Microsoft.Authorization/roleAssignments", rolesAPI)
	for _, r := range roles {
		if strings.Contains(strings.ToLower(r.Properties.Scope), "/virtualmachines/") {
			all = append(all, r)
		}
	}
	return all, err
}

// infrastructure lists what prepare has made: the group, and roles of its own.
func (w *world) infrastructure(ctx context.Context) ([]resource, error) {
	all, err := w.list(ctx, "/SUB/resourceGroups", resourcesAPI)
	if err != nil {
		return nil, err
	}
	roles, err := w.list(ctx, "/SUB/providers/Microsoft.Authorization/roleDefinitions", rolesAPI)
	for _, r := range roles {
		if r.Properties.RoleType == "CustomRole" {
			all = append(all, r)
		}
	}
	return all, err
}

// older lets an hour pass for all that belongs to hosts: for what ARM knows of its age, and
// for what tags say.
func (w *world) older(ctx context.Context) error {
	all, err := w.belongings(ctx)
	if err != nil {
		return err
	}
	for _, r := range all {
		made, err := time.Parse(time.RFC3339Nano, r.Tags["mngr-created-at"])
		if err != nil {
			continue
		}
		tags := map[string]string{"mngr-created-at": made.Add(-time.Hour).Format("2006-01-02T15:04:05.000000-07:00")}
		if err := w.tag(ctx, r.ID, "Merge", tags); err != nil {
			return err
		}
	}
	return w.azure.Set(ctx, map[string]string{"age": "1h"})
}

// tag changes the tags of a resource.
func (w *world) tag(ctx context.Context, id, operation string, tags map[string]string) error {
	body := map[string]any{"operation": operation, "properties": map[string]any{"tags": tags}}
	return w.send(ctx, http.MethodPatch, id+"/providers/Microsoft.Resources/tags/default", resourcesAPI, body, nil)
}

// settled waits until nothing is under way, and returns what is.
func (w *world) settled(ctx context.Context) (rig.Status, error) {
	ctx, cancel := context.WithTimeout(ctx, settleLimit)
	defer cancel()
	for {
		s, err := w.azure.Status(ctx)
		if err != nil {
			return s, err
		}
		if quiet(s) {
			return s, nil
		}
		if err := pause(ctx); err != nil {
			return s, fmt.Errorf("the local Azure is not done: %+v", s.VMs)
		}
	}
}

// quiet tells whether every machine is in a final state and has its parts, and no part is
// without a machine that could still go with one.
func quiet(s rig.Status) bool {
	for _, vm := range s.VMs {
		switch vm.Provisioning {
		case "Succeeded", "Failed", "Canceled":
		default:
			return false
		}
	}
	return true
}

// pause waits before the next look.
func pause(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(20 * time.Millisecond):
		return nil
	}
}
