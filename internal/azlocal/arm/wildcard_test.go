package arm

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
		{"Microsoft.Compute/*", "microsoft.compute/virtualMachines/write", true},
		{"*/write*", "a/write", true},
		{"a*a", "a", false},
		{"", "a", false},
		{"microsoft.authorization/*/write", "microsoft.authorization/roleassignments/write", true},
		{"microsoft.compute/virtualmachines/deallocate/action", "microsoft.compute/virtualmachines/deallocate/action", true},
		{"microsoft.compute/virtualmachines/deallocate/action", "microsoft.compute/virtualmachines/start/action", false},
	} {
		if got := Wildcard(c.pattern, c.action); got != c.want {
			t.Errorf("%s matches %s: %v", c.pattern, c.action, got)
		}
	}
}
