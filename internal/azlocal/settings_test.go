package azlocal

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/authorization/armauthorization/v2"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources/v3"
	"github.com/google/uuid"

	"mngr/internal/azlocal/activity"
	"mngr/internal/azlocal/fabric"
	"mngr/internal/azlocal/resources"
)

// activity is the whole log.
func (l *local) activity(t testing.TB) string {
	t.Helper()
	data, err := os.ReadFile(l.inst.Path(activity.FileName))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestQuotas refuses a machine under each limit, with the limit's own text, and makes it
// when there is room; the usages show the limit.
func TestQuotas(t *testing.T) {
	l := startLocal(t, nil)
	c, ctx := l.sdk(l.credential()), within(t)
	c.prepare(ctx)
	usages := must[*armcompute.UsageClient](t)(armcompute.NewUsageClient(l.inst.Subscription, l.credential(), l.options()))
	limit := func(name string) int64 {
		for _, u := range must[armcompute.UsageClientListResponse](t)(usages.NewListPager("westus", nil).NextPage(ctx)).Value {
			if *u.Name.Value == name {
				return *u.Limit
			}
		}
		return -1
	}
	for setting, want := range map[string]struct{ text, usage string }{
		"quota.cores=1":            {"approved Total Regional Cores quota", "cores"},
		"quota.standardBSFamily=1": {"approved standardBSFamily Cores quota", "standardBSFamily"},
		"quota.cores@westus=1":     {"approved Total Regional Cores quota", "cores"},
		"quota.spot=1":             {"approved LowPriorityCores quota", "lowPriorityCores"},
	} {
		name, value, _ := strings.Cut(setting, "=")
		l.set(t, map[string]string{name: value})
		v := c.machine(nil)
		if want.usage == "lowPriorityCores" {
			v = c.spot("Delete")
		}
		_, err := c.vms.BeginCreateOrUpdate(ctx, "rg", "vm", v, nil)
		wantCode(t, err, 409, "OperationNotAllowed")
		if !strings.Contains(err.Error(), want.text) || !strings.Contains(err.Error(), "Location: westus, Current Limit: 1, Current Usage: 0, Additional Required: 2, (Minimum) New Limit Required: 2") {
			t.Errorf("%s: %v", setting, err)
		}
		if n := limit(want.usage); n != 1 {
			t.Errorf("%s: the usages show %d", setting, n)
		}
		l.set(t, map[string]string{name: ""})
	}
	l.set(t, map[string]string{"quota.cores": "2", "quota.cores@eastus": "0", "quota.spot": "0"})
	c.create(ctx)
}

// TestQuotaOfAddresses refuses an address by itself at once, and one that comes with a
// machine as the switch says.
func TestQuotaOfAddresses(t *testing.T) {
	for _, answer := range []string{"operation-fails", "refused"} {
		t.Run(answer, func(t *testing.T) {
			l := startLocal(t, map[string]string{fabric.InlineIPQuota: answer})
			c, ctx := l.sdk(l.credential()), within(t)
			c.prepare(ctx)
			l.set(t, map[string]string{"quota.publicIPs": "1"})
			address := armnetwork.PublicIPAddress{Location: new("westus"), SKU: &armnetwork.PublicIPAddressSKU{Name: new(armnetwork.PublicIPAddressSKUNameStandard)}}
			p, err := c.addresses.BeginCreateOrUpdate(ctx, "rg", "a", address, nil)
			done(ctx, t, p, err)
			p, err = c.addresses.BeginCreateOrUpdate(ctx, "rg", "a", address, nil) // it exists
			done(ctx, t, p, err)
			_, err = c.addresses.BeginCreateOrUpdate(ctx, "rg", "b", address, nil)
			wantCode(t, err, 400, "PublicIPCountLimitReached")
			create, err := c.vms.BeginCreateOrUpdate(ctx, "rg", "vm", c.machine(nil), nil)
			if answer == "refused" {
				wantCode(t, err, 400, "PublicIPCountLimitReached")
				return
			}
			if err == nil {
				_, err = create.PollUntilDone(ctx, nil)
			}
			wantCode(t, err, 200, "PublicIPCountLimitReached")
		})
	}
}

// TestRegistration wants writes refused before the registration, reads not, and the state
// Registering for as long as the setting says.
func TestRegistration(t *testing.T) {
	l := startLocal(t, nil)
	c, ctx := l.sdk(l.credential()), within(t)
	c.prepare(ctx)
	registered := func(on bool) {
		t.Helper()
		if err := l.server.world.Update(func(tx *fabric.Tx) error { resources.SetRegistered(tx, on); return nil }); err != nil {
			t.Fatal(err)
		}
	}
	state := func() string {
		t.Helper()
		return *must[armresources.ProvidersClientGetResponse](t)(c.providers.Get(ctx, "Microsoft.Network", nil)).RegistrationState
	}
	registered(false)
	if s := state(); s != "NotRegistered" {
		t.Fatalf("state %s", s)
	}
	off := l.options()
	off.DisableRPRegistration = true
	nsgs := must[*armnetwork.SecurityGroupsClient](t)(armnetwork.NewSecurityGroupsClient(l.inst.Subscription, l.credential(), off))
	_, err := nsgs.BeginCreateOrUpdate(ctx, "rg", "other", armnetwork.SecurityGroup{Location: new("westus")}, nil)
	wantCode(t, err, 409, "MissingSubscriptionRegistration")
	must[armnetwork.SecurityGroupsClientGetResponse](t)(nsgs.Get(ctx, "rg", "nsg", nil))
	l.set(t, map[string]string{fabric.Registration: "1h"})
	must[armresources.ProvidersClientRegisterResponse](t)(c.providers.Register(ctx, "Microsoft.Network", nil))
	if s := state(); s != "Registering" {
		t.Fatalf("state %s", s)
	}
	l.set(t, map[string]string{fabric.Registration: "0s"})
	if s := state(); s != "Registered" {
		t.Fatalf("state %s", s)
	}
	registered(false)
	registered(true)
	p, err := nsgs.BeginCreateOrUpdate(ctx, "rg", "other", armnetwork.SecurityGroup{Location: new("westus")}, nil)
	done(ctx, t, p, err)
}

// TestRolePropagation wants a new assignment not to count until its time has passed.
func TestRolePropagation(t *testing.T) {
	l := startLocal(t, nil)
	c, ctx := l.sdk(l.credential()), within(t)
	c.prepare(ctx)
	vm := c.create(ctx)
	self := l.sdk(fixed(c.machineToken("vm")))
	l.set(t, map[string]string{fabric.RolePropagation: "1h"})
	scope := "/subscriptions/" + l.inst.Subscription
	must[armauthorization.RoleAssignmentsClientCreateResponse](t)(c.assignments.Create(ctx, scope, uuid.NewString(), armauthorization.RoleAssignmentCreateParameters{Properties: &armauthorization.RoleAssignmentProperties{
		RoleDefinitionID: new(scope + "/providers/Microsoft.Authorization/roleDefinitions/acdd72a7-3385-48ef-bd42-f606fba81ae7"), PrincipalID: vm.Identity.PrincipalID}}, nil))
	_, err := self.vms.Get(ctx, "rg", "vm", nil)
	wantCode(t, err, 403, "AuthorizationFailed")
	l.set(t, map[string]string{fabric.RolePropagation: "0s"})
	must[armcompute.VirtualMachinesClientGetResponse](t)(self.vms.Get(ctx, "rg", "vm", nil))
}

// TestSettings refuses what is none, and changes nothing then.
func TestSettings(t *testing.T) {
	s, err := fabric.NewSettings(fabric.Realistic, []string{"eastus", "westus"}, fabric.Quotas(map[string]int{"cores": 10}), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []map[string]string{
		{"quota.cores": "-1"}, {"quota.cores": "many"}, {"quota.none": "1"}, {"cores": "1"}, {"role-propagation": "2"}, {"eviction-notice": "-2s"},
		{"quota.cores": "5", "nothing": "1"}, {"quota.cores@nowhere": "1"}, {"clock@eastus": "2"},
		{"clock": "0"}, {"clock": "-1"}, {"clock": "NaN"}, {"clock": "Inf"}, {"clock": "fast"}, {"latency.create": "-1s"},
	} {
		if s.Choose(bad) == nil || s.Limit("cores", "westus") != 10 {
			t.Errorf("%v: accepted, or half of it", bad)
		}
	}
	if err := s.Choose(map[string]string{"quota.cores": "5", "quota.cores@eastus": "0", "role-propagation": "2m"}); err != nil {
		t.Fatal(err)
	}
	if a, b, d := s.Limit("cores", "westus"), s.Limit("cores", "eastus"), s.Time(fabric.RolePropagation); a != 5 || b != 0 || d != 2*time.Minute {
		t.Errorf("%d, %d, %v", a, b, d)
	}
	if d := s.Time(fabric.EvictionNotice); d != 30*time.Second {
		t.Errorf("the profile's notice is %v", d)
	}
}
