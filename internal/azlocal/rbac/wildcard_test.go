package rbac

import "testing"

func TestWildcard(t *testing.T) {
	for _, c := range []struct {
		pattern, action string
		want            bool
	}{
		{"*", "microsoft.compute/virtualmachines/read", true},
		{"*/read", "microsoft.compute/virtualmachines/read", true},
		{"*/read", "microsoft.compute/virtualmachines/write", false},
		{"microsoft.compute/*", "microsoft.network/x/read", false},
		{"microsoft.authorization/*/write", "microsoft.authorization/roleassignments/write", true},
		{"microsoft.compute/virtualmachines/deallocate/action", "microsoft.compute/virtualmachines/deallocate/action", true},
		{"microsoft.compute/virtualmachines/deallocate/action", "microsoft.compute/virtualmachines/start/action", false},
	} {
		if got := wildcard(c.pattern, c.action); got != c.want {
			t.Errorf("%s matches %s: %v", c.pattern, c.action, got)
		}
	}
}
