package azlocal

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/authorization/armauthorization/v2"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
)

// TestAge makes a machine, its disk and the assignments an hour older, and refuses what is
// no time.
func TestAge(t *testing.T) {
	l := startLocal(t, nil)
	c, ctx := l.sdk(l.credential()), within(t)
	c.prepare(ctx)
	c.create(ctx)
	type times struct{ machine, disk, assignment time.Time }
	look := func() times {
		vm := must[armcompute.VirtualMachinesClientGetResponse](t)(c.vms.Get(ctx, "rg", "vm", nil))
		all := must[armauthorization.RoleAssignmentsClientListForSubscriptionResponse](t)(c.assignments.NewListForSubscriptionPager(nil).NextPage(ctx))
		return times{
			*vm.Properties.TimeCreated, *c.disk(ctx, *vm.Properties.StorageProfile.OSDisk.Name).Properties.TimeCreated,
			*all.Value[0].Properties.CreatedOn,
		}
	}
	choose := func(value string) error {
		_, err := c.server.chooseSettings(httptest.NewRequest(http.MethodPost, "/settings", strings.NewReader(`{"age":"`+value+`"}`)))
		return err
	}
	before := look()
	for _, bad := range []string{"0s", "-1h", "long"} {
		if choose(bad) == nil {
			t.Errorf("%q was taken", bad)
		}
	}
	if look() != before {
		t.Error("what was refused had an effect")
	}
	if err := choose("1h"); err != nil {
		t.Fatal(err)
	}
	want := times{before.machine.Add(-time.Hour), before.disk.Add(-time.Hour), before.assignment.Add(-time.Hour)}
	if got := look(); got != want {
		t.Errorf("%v, want %v", got, want)
	}
}
