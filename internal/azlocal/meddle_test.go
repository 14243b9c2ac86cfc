package azlocal

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources/v3"

	"mngr/internal/azlocal/activity"
	"mngr/internal/azlocal/compute"
	"mngr/internal/azlocal/fabric"
	"mngr/internal/azlocal/fault"
	"mngr/internal/azlocal/machine"
	"mngr/internal/azlocal/machine/none"
)

// consoles is a driver whose machines have a console that notes what was typed.
type consoles struct {
	*none.Driver
	mu    sync.Mutex
	typed []string
}

func (d *consoles) Exec(_ context.Context, _ string, argv []string, stdin io.Reader) (machine.Result, error) {
	data, err := io.ReadAll(stdin)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.typed = append(d.typed, strings.Join(argv, " ")+string(data))
	return machine.Result{Code: len(data), Stdout: []byte("out"), Stderr: []byte("err")}, err
}

func (d *consoles) has(command string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Contains(d.typed, command)
}

// withConsoles gives the local Azure machines with consoles, whose power can be cut.
func (l *local) withConsoles() *consoles {
	d := &consoles{Driver: none.New()}
	d.PoweredOff = l.server.PoweredOff
	l.driver, l.server.compute.Driver = d, d
	return d
}

func (l *local) entries(t *testing.T, keep func(activity.Entry) bool) []activity.Entry {
	t.Helper()
	return must[[]activity.Entry](t)(activity.Read(l.inst.Path(activity.FileName), keep))
}

// TestFaultsBefallMachines cuts a new machine's power when its create is done, hangs the
// sshd of one that asked for its metadata, and evicts one whose address was looked at.
func TestFaultsBefallMachines(t *testing.T) {
	l := startLocal(t, nil)
	d := l.withConsoles()
	l.set(t, map[string]string{fabric.EvictionNotice: "1h"})
	c, ctx := l.sdk(l.credential()), within(t)
	c.prepare(ctx)
	killed := c.fault(fault.Rule{On: onPut, Times: 1, Effect: fault.KillMachine})
	p, err := c.vms.BeginCreateOrUpdate(ctx, "rg", "vm", c.spot("Deallocate"), nil)
	vm := done(ctx, t, p, err)
	c.until(ctx, "killed", func(all []compute.VMStatus) bool { return all[0].Power == compute.Stopped && all[0].Billed })
	start, err := c.vms.BeginStart(ctx, "rg", "vm", nil)
	done(ctx, t, start, err)

	hung := c.fault(fault.Rule{On: "imds:/metadata/versions", Times: 1, Effect: fault.HangSSH})
	if rec := c.askIMDS("vm", "/metadata/versions", metadata); rec.Code != 200 {
		t.Fatal(rec.Code)
	}
	await(ctx, t, "were the sshd stopped", func() bool { return d.has("pkill -STOP ^sshd") })

	evicted := c.fault(fault.Rule{On: "Microsoft.Network/networkInterfaces/read", Times: 1, Effect: fault.EvictMachine})
	nic := *vm.Properties.NetworkProfile.NetworkInterfaces[0].ID
	if _, err := c.interfaces.Get(ctx, "rg", nic[strings.LastIndex(nic, "/")+1:], nil); err != nil {
		t.Fatal(err)
	}
	await(ctx, t, "announced the eviction", func() bool { c.events(); return len(c.events().Events) == 1 })

	c.fault(fault.Rule{On: onGet, Times: 1, Effect: fault.KillMachine})
	must[armresources.ResourceGroupsClientGetResponse](t)(c.groups.Get(ctx, "rg", nil))
	meddled := func(e activity.Entry) bool { return strings.HasPrefix(e.Operation, "azlocal:") }
	await(ctx, t, "were all acts logged", func() bool { return len(l.entries(t, meddled)) == 4 })
	got := map[string]activity.Outcome{}
	for _, e := range l.entries(t, meddled) {
		got[e.Operation+" "+e.Fault] = e.Ended
	}
	for act, want := range map[string]activity.Outcome{"azlocal:kill-machine f1": activity.Succeeded, "azlocal:hang-sshd f2": activity.Succeeded,
		"azlocal:evict f3": activity.Succeeded, "azlocal:kill-machine f4": activity.Failed} {
		if got[act] != want {
			t.Errorf("%s: %q", act, got[act])
		}
	}
	if killed() != 1 || hung() != 1 || evicted() != 1 {
		t.Errorf("hits: %d, %d, %d", killed(), hung(), evicted())
	}
}

// TestSpoiledAnswers looks at answers as they come over the wire.
func TestSpoiledAnswers(t *testing.T) {
	l := startLocal(t, nil)
	c, ctx := l.sdk(l.credential()), within(t)
	c.prepare(ctx)
	r := l.raw(ctx)
	group := "/subscriptions/" + l.inst.Subscription + "/resourceGroups/"
	ask := func(method, name, body string) (*http.Response, []byte, error) {
		req, err := http.NewRequestWithContext(ctx, method, l.inst.Endpoint()+group+name+"?api-version=2021-04-01", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header = http.Header{"Authorization": {"Bearer " + r.token}, "Content-Type": {"application/json"}}
		resp, err := l.client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		data, err := io.ReadAll(resp.Body)
		return resp, data, err
	}
	made := func(name string) bool {
		_, err := c.groups.Get(ctx, name, nil)
		return err == nil
	}
	const onGroup = "Microsoft.Resources/subscriptions/resourceGroups/write"
	c.fault(fault.Rule{On: onGroup, Times: 1, Effect: fault.DropDuring})
	resp, data, err := ask("PUT", "during", `{"location":"westus"}`)
	if resp.StatusCode != 201 || !errors.Is(err, io.ErrUnexpectedEOF) || len(data) == 0 || !made("during") {
		t.Errorf("during: %d %q %v", resp.StatusCode, data, err)
	}
	c.fault(fault.Rule{On: onGroup, Times: 1, Effect: fault.InvalidJSON})
	resp, data, err = ask("PUT", "broken", `{"location":"westus"}`)
	if resp.StatusCode != 201 || err != nil || len(data) == 0 || json.Valid(data) || !made("broken") {
		t.Errorf("invalid: %d %q %v", resp.StatusCode, data, err)
	}
	c.fault(fault.Rule{On: onGroup, Times: 1, Effect: fault.Refuse, Status: 502, HTML: true})
	resp, data, err = ask("PUT", "page", `{"location":"westus"}`)
	if resp.StatusCode != 502 || err != nil || !strings.HasPrefix(string(data), "<html>") || resp.Header.Get("Content-Type") != "text/html" || resp.Header.Get("x-ms-request-id") != "" || made("page") {
		t.Errorf("page: %d %v %q %v", resp.StatusCode, resp.Header, data, err)
	}
	resp, data, err = ask("PUT", "page", `{"location":"westus"}`)
	if resp.StatusCode != 201 || err != nil || !json.Valid(data) {
		t.Errorf("afterwards: %d %q %v", resp.StatusCode, data, err)
	}
}

// TestCascadeBreaksHalfWay refuses the second part of a machine's cascade and lets the
// first go; the machine's own deletion is no part.
func TestCascadeBreaksHalfWay(t *testing.T) {
	l := startLocal(t, nil)
	c, ctx := l.sdk(l.credential()), within(t)
	c.prepare(ctx)
	c.create(ctx)
	hits := c.fault(fault.Rule{On: "*/delete", Parts: true, Nth: 2, Times: 1, Effect: fault.Refuse, Status: 409})
	del, err := c.vms.BeginDelete(ctx, "rg", "vm", nil)
	done(ctx, t, del, err)
	await(ctx, t, "was the second part refused", func() bool { return hits() == 1 })
	ended := func(e activity.Entry) bool {
		return e.Ended == activity.Succeeded && strings.HasSuffix(e.Operation, "/delete")
	}
	await(ctx, t, "was the first part deleted", func() bool { return len(l.entries(t, ended)) >= 2 })
	left := 0
	l.server.world.View(func(t *fabric.Tx) {
		for _, kind := range compute.BilledTypes() {
			for range t.List(kind, "") {
				left++
			}
		}
	})
	if left == 0 {
		t.Error("nothing is left")
	}
	// Both are the same command's: whoever deleted the machine.
	all := l.entries(t, ended)
	if all[0].Correlation == "" || all[0].Correlation != all[1].Correlation || all[0].Name != ownerName {
		t.Errorf("%+v", all)
	}
}

// TestOperationsEndInTheLog wants code, time and fault of an operation that failed, and of
// one that did not.
func TestOperationsEndInTheLog(t *testing.T) {
	l := startLocal(t, nil)
	c, ctx := l.sdk(l.credential()), within(t)
	c.prepare(ctx)
	c.fault(fault.Rule{On: onPut, Times: 1, Effect: fault.Fail, Code: "AllocationFailed"})
	for range 2 {
		p, err := c.vms.BeginCreateOrUpdate(ctx, "rg", "vm", c.machine(nil), nil)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = p.PollUntilDone(ctx, nil)
		del, err := c.vms.BeginDelete(ctx, "rg", "vm", nil)
		done(ctx, t, del, err)
		c.eventuallyEmpty(ctx)
	}
	ends := l.entries(t, func(e activity.Entry) bool { return e.Ended != "" && e.Operation == onPut })
	if len(ends) != 2 || ends[0].Ended != activity.Failed || ends[0].EndedCode != "AllocationFailed" || ends[0].Fault != "f1" || ends[0].EndedMS <= 0 ||
		ends[1].Ended != activity.Succeeded || ends[1].EndedCode != "" || ends[1].Fault != "" || ends[1].Name != ownerName {
		t.Fatalf("%+v", ends)
	}
	failed := must[[]activity.Entry](t)(activity.Requests(l.inst.Path(activity.FileName), logFilter{failed: true, operation: "*virtualMachines*"}.keeps))
	if len(failed) != 1 || failed[0].EndedCode != "AllocationFailed" || failed[0].Method != "PUT" || failed[0].Status != 201 {
		t.Errorf("failed: %+v", failed)
	}
	if mine := l.entries(t, logFilter{principal: "OWNER", writes: true, resource: "*/VM"}.keeps); len(mine) != 4 {
		t.Errorf("%d writes of the owner to the machine: %+v", len(mine), mine)
	}
	if others := l.entries(t, logFilter{principal: "nobody"}.keeps); len(others) != 0 {
		t.Errorf("of nobody: %+v", others)
	}
}

// TestControlSocket asks for everything as the documentation's examples do.
func TestControlSocket(t *testing.T) {
	l := startLocal(t, nil)
	driver := l.withConsoles()
	c, ctx := l.sdk(l.credential()), within(t)
	c.prepare(ctx)
	c.create(ctx)
	line := (&daemon{inst: l.inst, server: l.server}).controls()
	ask := func(method, path, body string) (int, string) {
		rec := httptest.NewRecorder()
		line.ServeHTTP(rec, httptest.NewRequest(method, path, strings.NewReader(body)))
		return rec.Code, rec.Body.String()
	}
	for _, one := range []struct {
		method, path, body string
		status             int
		want               string // is in the answer
	}{
		{"POST", "/faults", `{"on":"Microsoft.Compute/virtualMachines/write","effect":"operation-fails","code":"AllocationFailed","times":1}`, 200, `"id":"f1"`},
		{"POST", "/faults", `{"on":"*/write","effect":"status","status":502,"html":true,"chance":0.1,"seed":7}`, 200, `"chance":0.1`},
		{"POST", "/faults", `{"on":"*/write","effect":"status","satus":409}`, 400, `satus`},
		{"POST", "/faults", `{"on":"nothing/write","effect":"status","status":409}`, 400, `no operation is called`},
		{"POST", "/faults", `{"on":"entra:token","effect":"kill-machine"}`, 400, `concerns no machine`},
		{"GET", "/faults", "", 200, `"id":"f2"`},
		{"DELETE", "/faults/f2", "", 200, ""},
		{"DELETE", "/faults/f2", "", 400, `no fault "f2"`},
		{"POST", "/machines/vm/hang", "", 200, ""},
		{"POST", "/machines/VM/resume", "", 200, ""},
		{"POST", "/machines/vm/exec", `{"argv":["cat"],"stdin":"aGk="}`, 200, `{"code":2,"stdout":"b3V0","stderr":"ZXJy"}`},
		{"POST", "/machines/vm/exec", `{"argv":[]}`, 400, "needs a name"},
		{"POST", "/machines/vm/explode", "", 400, "is not told to"},
		{"POST", "/machines/nobody/kill", "", 400, "0 virtual machines are called"},
		{"POST", "/machines/vm/kill", "", 200, ""},
		{"POST", "/machines/vm/kill", "", 400, "does not run"},
		{"GET", "/bill", "", 200, `"total_usd":`},
		{"GET", "/bill?since=yesterday", "", 400, "since is a time"},
		{"GET", "/status", "", 200, `"power_state":"stopped"`},
		{"DELETE", "/faults", "", 200, "1"},
	} {
		if status, got := ask(one.method, one.path, one.body); status != one.status || !strings.Contains(got, one.want) {
			t.Errorf("%s %s %s: %d %s", one.method, one.path, one.body, status, got)
		}
	}
	for _, command := range []string{"pkill -STOP ^sshd", "pkill -CONT ^sshd", "cathi"} {
		if !driver.has(command) {
			t.Errorf("%q was not typed", command)
		}
	}
	l.server.compute.Driver = none.New()
	if status, got := ask("POST", "/machines/vm/hang", ""); status != 400 || !strings.Contains(got, "runs no guest: the driver is none") {
		t.Errorf("without a guest: %d %s", status, got)
	}
}
