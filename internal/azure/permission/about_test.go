package permission

import (
	"slices"
	"strings"
	"testing"
)

// TestPrepareSaysWhatItMakes holds the words to the actions, under all options.
func TestPrepareSaysWhatItMakes(t *testing.T) {
	p, _ := Find(Prepare)
	for _, o := range []Options{{}, {WithoutRoles: true}, {UseExistingGroup: true}, {WithoutRoles: true, UseExistingGroup: true}} {
		role := p.Role(Place{ResourceGroup: "mngr"}, o)
		usage := strings.Join(p.Usage(Place{ResourceGroup: "mngr"}, o, "", "mngr"), "\n")
		for what, action := range map[string]string{"the group": makeGroup, "the role of idle machines": makeRole} {
			may := slices.Contains(role.Actions, action)
			if says := strings.Contains(role.Description, "makes") && strings.Contains(role.Description, what); says != may {
				t.Errorf("%+v: may make %s: %v, but says %q", o, what, may, role.Description)
			}
			if strings.Contains(usage, what) != may {
				t.Errorf("%+v: may make %s: %v, but says %q", o, what, may, usage)
			}
		}
		if !strings.Contains(role.Description, "network") {
			t.Errorf("%+v: %q", o, role.Description)
		}
	}
}
