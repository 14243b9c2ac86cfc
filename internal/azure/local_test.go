package azure_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources/v3"

	"mngr/internal/agent"
	"mngr/internal/azure"
)

// localAzure is a daemon with machines that have no guest.
type localAzure struct {
	t   *testing.T
	dir string
}

func startLocal(t *testing.T) *localAzure {
	l := &localAzure{t: t, dir: t.TempDir()}
	l.run("up", "--driver", "none")
	t.Cleanup(func() { l.run("down") })
	return l
}

func (l *localAzure) run(args ...string) {
	l.t.Helper()
	self, err := os.Executable()
	if err != nil {
		l.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute) // also used while cleaning up
	defer cancel()
	cmd := exec.CommandContext(ctx, self, append([]string{"local"}, args...)...)
	cmd.Env = append(os.Environ(), "MNGR_AZLOCAL_DIR="+l.dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		l.t.Fatalf("azlocal %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

func (l *localAzure) provider(change ...func(*azure.Settings)) machines {
	l.t.Helper()
	s := azure.Defaults()
	s.Name, s.Cloud, s.LocalDir, s.PollInterval = "azure-local", azure.CloudLocal, l.dir, 100*time.Millisecond
	for _, c := range change {
		c(&s)
	}
	p, err := azure.New(s)
	if err != nil {
		l.t.Fatal(err)
	}
	return machines{p}
}

func spec(name string) agent.MachineSpec {
	return agent.MachineSpec{HostID: agent.NewHostID(), HostName: name, CustomData: []byte("#cloud-config\n"),
		AuthorizedKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE a",
		Tags:          map[string]string{"mngr-created-at": "2026-11-22T00:00:00Z"}}
}

// create takes a host up to its address and its end of operation.
func create(t *testing.T, p machines, m agent.MachineSpec) agent.Host {
	t.Helper()
	if err := p.Preflight(t.Context(), m); err != nil {
		t.Fatalf("preflight: %v", err)
	}
	c, err := p.Create(t.Context(), m, nil)
	if err != nil {
		t.Fatalf("create: %v", err)
	}
	address, err := c.Address(t.Context())
	if err != nil || !strings.HasPrefix(address, "127.") {
		t.Errorf("address %q: %v", address, err)
	}
	if err := c.Wait(t.Context()); err != nil {
		t.Fatalf("wait: %v", err)
	}
	if ok, why := c.SelfStop(); !ok {
		t.Errorf("the machine may not stop itself: %s", why)
	}
	h := c.Host()
	h.Address = address
	return h
}

func list(t *testing.T, p machines) []agent.Host {
	t.Helper()
	hosts, err := p.List(t.Context())
	if err != nil {
		t.Fatalf("list: %v", err)
	}
	return hosts
}

// expect checks what list and Get say of the one host there is.
func expect(t *testing.T, p machines, h agent.Host, state agent.HostState, billing agent.Billing) {
	t.Helper()
	hosts := list(t, p)
	if len(hosts) != 1 {
		t.Fatalf("%d hosts, want one", len(hosts))
	}
	got, err := p.Get(t.Context(), h.Resource)
	if err != nil {
		t.Fatalf("get: %v", err)
	}
	for from, g := range map[string]agent.Host{"list": hosts[0], "get": got} {
		if g.ID != h.ID || g.Name != h.Name || g.Resource != h.Resource || g.Address != h.Address || g.State != state || g.Billing != billing {
			t.Errorf("%s: %+v, want %s, %s of %+v", from, g, state, billing, h)
		}
	}
}

// One host's life, under every answer to what nobody knows about Azure.
func TestLifeOnLocalAzure(t *testing.T) {
	l := startLocal(t)
	p := l.provider()
	if err := p.Preflight(t.Context(), spec("early")); agent.KindOf(err) != agent.KindNotPrepared {
		t.Errorf("before prepare: %v", err)
	}
	if hosts := list(t, p); len(hosts) != 0 {
		t.Errorf("hosts from nowhere: %v", hosts)
	}
	first, err := p.Prepare(t.Context(), azure.PrepareOptions{}, nil)
	if err != nil || !first.Created {
		t.Fatalf("prepare: %+v, %v", first, err)
	}
	again, err := p.Prepare(t.Context(), azure.PrepareOptions{}, nil)
	if err != nil || again.Created || slices.ContainsFunc(again.Parts, func(part azure.Part) bool { return part.Action != azure.Keep }) {
		t.Fatalf("prepare again: %+v, %v", again, err)
	}
	for _, answers := range []string{
		"inline-ip-sku=accepted", "inline-ip-sku=refused", "inline-ip-sku=accepted,inline-nic-ids=when-succeeded",
		"inline-nic-ids=while-creating,inline-tags=absent", "inline-nic-ids=when-succeeded,inline-tags=absent",
		"inline-nic-ids=while-creating,inline-tags=kept,tag-write-during-operation=preempts",
		"tag-write-during-operation=accepted", "assignment-after-vm=removed", "list-expand-instanceview=accepted",
	} {
		t.Run(answers, func(t *testing.T) {
			l.run("up", "--unknown", answers)
			life(t, p)
		})
	}
	t.Run("cleanup", func(t *testing.T) { cleanup(t, p) })
}

func life(t *testing.T, p machines) {
	m := spec("My_Agent")
	h := create(t, p, m)
	expect(t, p, h, agent.HostRunning, agent.BillingCompute)

	if _, err := p.Create(t.Context(), spec("My_Agent"), nil); agent.KindOf(err) != agent.KindExists {
		t.Errorf("a second host of that name: %v", err)
	}
	if again, err := p.Create(t.Context(), m, nil); err != nil || again.Wait(t.Context()) != nil {
		t.Errorf("the same host, asked for twice: %v", err)
	}
	if ok, why := p.LetStopItself(t.Context(), h.Resource); !ok {
		t.Errorf("the right to stop itself, given twice: %s", why)
	}
	if err := p.MergeTags(t.Context(), h.Resource, map[string]string{"mngr-agent-a-record": "{}", "other": "x"}, nil); err != nil {
		t.Errorf("merge: %v", err)
	}
	if err := p.MergeTags(t.Context(), h.Resource, nil, []string{"other"}); err != nil {
		t.Errorf("delete a tag: %v", err)
	}
	for range 2 { // a second stop is fine
		if err := p.Stop(t.Context(), h.Resource, true, nil); err != nil {
			t.Errorf("stop: %v", err)
		}
	}
	expect(t, p, h, agent.HostStopped, agent.BillingStorage)
	if err := p.Start(t.Context(), h.Resource, true, nil); err != nil {
		t.Errorf("start: %v", err)
	}
	expect(t, p, h, agent.HostRunning, agent.BillingCompute)
	if tags := list(t, p)[0].Tags; tags["mngr-agent-a-record"] != "{}" || tags["other"] != "" || tags["managed-by"] != "mngr" {
		t.Errorf("tags %v", tags)
	}
	if _, err := p.Cleanup(t.Context(), false, nil); agent.KindOf(err) != agent.KindRefused {
		t.Errorf("cleanup with a machine: %v", err)
	}
	for range 2 { // absent is fine
		if err := p.Destroy(t.Context(), h, nil); err != nil {
			t.Fatalf("destroy: %v", err)
		}
	}
	if hosts := list(t, p); len(hosts) != 0 {
		t.Errorf("still there: %v", hosts)
	}
	if _, err := p.Get(t.Context(), h.Resource); agent.KindOf(err) != agent.KindNotFound {
		t.Errorf("get: %v", err)
	}
	plan, err := p.Cleanup(t.Context(), true, nil)
	if err != nil || !plan.Deleted {
		t.Errorf("something is left that cleanup refuses: %+v, %v", plan, err)
	}
}

func cleanup(t *testing.T, p machines) {
	done, err := p.Cleanup(t.Context(), false, nil)
	if err != nil || !done.Deleted || len(done.Actions) != 2 || len(done.Warnings) != 0 {
		t.Errorf("cleanup: %+v, %v", done, err)
	}
	again, err := p.Cleanup(t.Context(), false, nil)
	if err != nil || again.Deleted || again.ResourceGroup != "" {
		t.Errorf("cleanup again: %+v, %v", again, err)
	}
}

func TestUndoAndKillOnLocalAzure(t *testing.T) {
	l := startLocal(t)
	p := l.provider()
	if _, err := p.Prepare(t.Context(), azure.PrepareOptions{AllowedSSHCIDRs: []string{"127.0.0.0/8"}}, nil); err != nil {
		t.Fatal(err)
	}
	c, err := p.Create(t.Context(), spec("a"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if hosts := list(t, p); len(hosts) != 1 {
		t.Errorf("a host on its way is not listed: %v", hosts)
	}
	if err := c.Undo(t.Context(), nil); err != nil {
		t.Errorf("undo: %v", err)
	}
	if hosts := list(t, p); len(hosts) != 0 {
		t.Errorf("still there: %v", hosts)
	}
	l.run("down")
	if _, err := l.provider().List(t.Context()); agent.KindOf(err) != agent.KindUnreachable || errors.Is(err, azure.ErrLocalNeverUsed) {
		t.Errorf("down: %v", err)
	}
	l.run("up")
	if _, err := l.provider().List(t.Context()); err != nil {
		t.Errorf("up again: %v", err)
	}
}

func TestSecondRegionOnLocalAzure(t *testing.T) {
	l := startLocal(t)
	p := l.provider()
	if _, err := p.Prepare(t.Context(), azure.PrepareOptions{}, nil); err != nil {
		t.Fatal(err)
	}
	m := spec("far")
	m.Region = "eastus"
	if err := p.Preflight(t.Context(), m); agent.KindOf(err) != agent.KindNotPrepared ||
		agent.HintOf(err) != "mngr azure prepare --provider azure-local --region eastus" {
		t.Errorf("before prepare there: %v (%s)", err, agent.HintOf(err))
	}
	if _, err := p.Prepare(t.Context(), azure.PrepareOptions{Region: "eastus"}, nil); err != nil {
		t.Fatal(err)
	}
	h := create(t, p, m)
	if h.Region != "eastus" {
		t.Errorf("in %s", h.Region)
	}
	if err := p.Destroy(t.Context(), h, nil); err != nil {
		t.Errorf("destroy: %v", err)
	}
}

// Two who prepare the same at once end with one network that has all its rules once.
func TestTwoPrepareAtOnce(t *testing.T) {
	l := startLocal(t)
	errs := make([]error, 2)
	var both sync.WaitGroup
	for i := range errs {
		p := l.provider()
		both.Go(func() {
			_, errs[i] = p.Prepare(t.Context(), azure.PrepareOptions{AllowedSSHCIDRs: []string{"203.0.113.4"}}, nil)
		})
	}
	both.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Error(err)
	}
	p := l.provider()
	after, err := p.Prepare(t.Context(), azure.PrepareOptions{AllowedSSHCIDRs: []string{"203.0.113.4"}, DryRun: true}, nil)
	if err != nil || len(after.Parts) != 11 || len(after.Warnings) != 0 ||
		slices.ContainsFunc(after.Parts, func(part azure.Part) bool { return part.Action != azure.Keep }) {
		t.Errorf("after both: %+v, %v", after, err)
	}
	create(t, p, spec("a"))
}

// In somebody else's group everything of ours comes and goes, and nothing of his.
func TestSharedGroupOnLocalAzure(t *testing.T) {
	l := startLocal(t)
	ctx := t.Context()
	groups, ips, err := l.provider().Foreign(ctx)
	if err != nil {
		t.Fatal(err)
	}
	theirs := map[string]*string{"owner": new("bob")}
	// The network provider has to be registered before bob can make an address.
	elsewhere := l.provider(func(s *azure.Settings) { s.ResourceGroup = "elsewhere" })
	if _, err := elsewhere.Prepare(ctx, azure.PrepareOptions{}, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := groups.CreateOrUpdate(ctx, "mngr", armresources.ResourceGroup{Location: new("westus"), Tags: theirs}, nil); err != nil {
		t.Fatal(err)
	}
	address := func(name string, tags map[string]*string) {
		t.Helper()
		op, err := ips.BeginCreateOrUpdate(ctx, "mngr", name, armnetwork.PublicIPAddress{Location: new("westus"), Tags: tags,
			SKU:        &armnetwork.PublicIPAddressSKU{Name: new(armnetwork.PublicIPAddressSKUNameStandard)},
			Properties: &armnetwork.PublicIPAddressPropertiesFormat{PublicIPAllocationMethod: new(armnetwork.IPAllocationMethodStatic)}}, nil)
		if err == nil {
			_, err = op.PollUntilDone(ctx, nil)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	address("web", theirs)
	p := l.provider()
	if _, err := p.Prepare(ctx, azure.PrepareOptions{}, nil); agent.KindOf(err) != agent.KindRefused {
		t.Errorf("a group of somebody else was taken: %v", err)
	}
	if _, err := p.Prepare(ctx, azure.PrepareOptions{UseExistingGroup: true}, nil); err != nil {
		t.Fatal(err)
	}
	for _, region := range []string{"", "eastus"} {
		if _, err := p.Prepare(ctx, azure.PrepareOptions{Region: region, UseExistingGroup: region != ""}, nil); err != nil {
			t.Errorf("again, region %q: %v", region, err)
		}
	}
	address("left", map[string]*string{"managed-by": new("mngr")}) // by a host that is gone
	h := create(t, p, spec("a"))
	if _, err := p.Cleanup(ctx, false, nil); agent.KindOf(err) != agent.KindRefused || !strings.Contains(err.Error(), "host a (machine ") {
		t.Errorf("cleanup with a host: %v", err)
	}
	if err := p.Destroy(ctx, h, nil); err != nil {
		t.Fatal(err)
	}
	done, err := p.Cleanup(ctx, false, nil)
	if err != nil || len(done.Actions) != 5 || len(done.Warnings) != 0 || !strings.Contains(strings.Join(done.Notes, ""), "mngr works in elsewhere, too") {
		t.Errorf("cleanup: %+v, %v", done, err)
	}
	if got, err := groups.Get(ctx, "mngr", nil); err != nil || len(got.Tags) != 1 || *got.Tags["owner"] != "bob" {
		t.Errorf("bob's group: %+v, %v", got.Tags, err)
	}
	if _, err := ips.Get(ctx, "mngr", "web", nil); err != nil {
		t.Errorf("bob's address: %v", err)
	}
	if again, err := p.Cleanup(ctx, false, nil); err != nil || again.Deleted || again.ResourceGroup != "" {
		t.Errorf("cleanup again: %+v, %v", again, err)
	}
}
