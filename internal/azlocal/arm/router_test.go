package arm

import (
	"strings"
	"testing"
)

func testRouter() *Router[string] {
	r := &Router[string]{}
	const vm = "/subscriptions/{sub}/resourceGroups/{group}/providers/Microsoft.Compute/virtualMachines/{name}"
	r.Add("GET", "/subscriptions", "subscriptions")
	r.Add("GET", vm, "get")
	r.Add("POST", vm+"|/start", "start")
	r.Add("GET", "{scope}/providers/Microsoft.Authorization/roleAssignments/{name}", "assignment")
	return r
}

func TestFind(t *testing.T) {
	const base = "/subscriptions/S/resourceGroups/My-RG/providers/Microsoft.Compute/virtualMachines/Vm1"
	for _, c := range []struct{ method, path, target, id string }{
		{"GET", base, "get", base},
		{"GET", strings.ToLower(base), "get", "/subscriptions/s/resourceGroups/my-rg/providers/Microsoft.Compute/virtualMachines/vm1"},
		{"GET", "//subscriptions//S/RESOURCEGROUPS/My-RG/providers/MICROSOFT.compute/virtualmachines/Vm1/", "get", base},
		{"POST", base + "/START", "start", base},
		{"GET", base + "/providers/microsoft.authorization/roleassignments/A", "assignment", base + "/providers/Microsoft.Authorization/roleAssignments/A"},
		{"GET", "/providers/Microsoft.Authorization/roleAssignments/A", "assignment", "/providers/Microsoft.Authorization/roleAssignments/A"},
		{"GET", "//subscriptions", "subscriptions", "/subscriptions"},
	} {
		m, found, _ := testRouter().Find(c.method, c.path)
		if !found || m.Target != c.target || m.ID != c.id {
			t.Errorf("%s %s: got %q %q %v, want %q %q", c.method, c.path, m.Target, m.ID, found, c.target, c.id)
		}
	}
	if _, found, other := testRouter().Find("DELETE", base); found || !other {
		t.Errorf("DELETE: found %v, other method %v", found, other)
	}
	if _, found, other := testRouter().Find("GET", base+"/x/y/z"); found || other {
		t.Errorf("unknown path: found %v, other method %v", found, other)
	}
}

// FuzzFind checks that any spelling of slashes and case finds the same route, and that no
// path makes the router panic.
func FuzzFind(f *testing.F) {
	f.Add("/subscriptions/a/resourceGroups/b/providers/Microsoft.Compute/virtualMachines/c")
	f.Add("//subscriptions")
	f.Add("/providers/Microsoft.Authorization/roleAssignments/x")
	f.Add("{scope}/../%2f")
	f.Fuzz(func(t *testing.T, path string) {
		r := testRouter()
		a, okA, _ := r.Find("GET", path)
		b, okB, _ := r.Find("GET", "//"+strings.ReplaceAll(path, "/", "//")+"/")
		if okA != okB || a.ID != b.ID {
			t.Fatalf("%q: %v %q, with more slashes %v %q", path, okA, a.ID, okB, b.ID)
		}
		if okA {
			again, ok, _ := r.Find("GET", a.ID)
			if !ok || again.ID != a.ID {
				t.Fatalf("%q: the id %q is not stable: %q", path, a.ID, again.ID)
			}
		}
		p := ParseID(path)
		_ = p.Type() + p.FullName() + Parent(path) + GroupID(path)
	})
}
