package throttle

import (
	"strings"
	"testing"
)

// TestCompute holds operations to the documented table.
func TestCompute(t *testing.T) {
	for request, want := range map[string]struct {
		policy string
		perVM  bool
	}{
		"GET virtualMachines":                     {HighCostGet, false},
		"GET locations/westus/virtualMachines":    {HighCostGet, false},
		"GET virtualMachines/a":                   {LowCostGet, true},
		"HEAD virtualmachines/a":                  {LowCostGet, true},
		"GET virtualMachines/a/instanceView":      {LowCostGet, true},
		"PUT virtualMachines/a":                   {PutVM, true},
		"PATCH virtualMachines/a":                 {PutVM, true},
		"DELETE virtualMachines/a":                {DeleteVM, true},
		"POST virtualMachines/a/deallocate":       {DeleteVM, true},
		"POST virtualMachines/a/simulateEviction": {DeleteVM, true},
		"POST VIRTUALMACHINES/a/START":            {UpdateVM, true},
		"POST virtualMachines/a/runCommand":       {UpdateVM, true},
		"POST virtualMachines/a/generalize":       {UpdateVM, true},
		"GET locations/westus/operations/x":       {GetOperation, true},
		"GET locations/westus/DiskOperations/x":   {"", false},
		"GET locations/westus/usages":             {"", false},
		"GET skus":                                {"", false},
		"PUT disks/d":                             {"", false},
	} {
		method, path, _ := strings.Cut(request, " ")
		if policy, perVM := Compute(method, strings.Split(path, "/")); policy != want.policy || perVM != want.perVM {
			t.Errorf("%s: %q, %v", request, policy, perVM)
		}
	}
	if policy, _ := Compute("GET", nil); policy != "" {
		t.Errorf("nothing spends %s", policy)
	}
}

// TestPolicies wants names that are there once, and a machine's limit below the region's.
func TestPolicies(t *testing.T) {
	for _, p := range Policies() {
		found, ok := Find(p.Name)
		if !ok || found != p || p.Limit.Size < 1 || p.Limit.Refill < 1 || p.Limit.Per <= 0 || p.Source == "" {
			t.Errorf("%+v", p)
		}
		if name, perVM := strings.CutSuffix(p.Name, PerVM); perVM {
			if whole, ok := Find(name); !ok || whole.Limit.Size <= p.Limit.Size {
				t.Errorf("%s: %+v", name, whole)
			}
		}
	}
	if _, ok := Find("none"); ok {
		t.Error("found a limit that is none")
	}
}
