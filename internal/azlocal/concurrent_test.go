package azlocal

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"mngr/internal/azlocal/instance"
)

// TestConcurrentClients lets many clients at the same resources: of creates that want to be
// the first one wins, no tag of a merge is lost, a public address has one user, and nothing
// refers to what is gone.
func TestConcurrentClients(t *testing.T) {
	l := startLocal(t, nil)
	c := newCaller(t, l.inst)
	c.prepare()
	const clients = 12
	all := func(f func(client int)) {
		var wg sync.WaitGroup
		for i := range clients {
			wg.Go(func() { f(i) })
		}
		wg.Wait()
	}
	var won atomic.Int32
	all(func(int) {
		status, answer, err := c.do(t.Context(), "PUT", c.vm("one")+computeVersion, c.body("one"), "If-None-Match", "*")
		switch {
		case err == nil && status == http.StatusCreated:
			won.Add(1)
		case err != nil || status != http.StatusPreconditionFailed:
			t.Errorf("%d %v %s", status, err, answer)
		}
	})
	if won.Load() != 1 {
		t.Errorf("%d creates won", won.Load())
	}

	tags := c.group() + "/providers/Microsoft.Resources/tags/default" + groupVersion
	all(func(i int) {
		c.must("PATCH", tags, map[string]any{"operation": "Merge", "properties": map[string]any{"tags": map[string]string{fmt.Sprint("tag-", i): "here"}}})
	})
	if got := strings.Count(string(c.must("GET", tags, nil)), `"here"`); got != clients {
		t.Errorf("%d tags of %d are left", got, clients)
	}

	pip := c.group() + "/providers/Microsoft.Network/publicIPAddresses/pip"
	c.must("PUT", pip+networkVersion, map[string]any{"location": "eastus", "sku": map[string]any{"name": "Standard"}, "properties": map[string]any{"publicIPAllocationMethod": "Static"}})
	nic := func(i int) string {
		return fmt.Sprintf("%s/providers/Microsoft.Network/networkInterfaces/nic-%d", c.group(), i)
	}
	var attached atomic.Int32
	all(func(i int) {
		status, answer, err := c.do(t.Context(), "PUT", nic(i)+networkVersion, map[string]any{"location": "eastus", "properties": map[string]any{"ipConfigurations": []any{map[string]any{"name": "ip",
			"properties": map[string]any{"subnet": map[string]any{"id": c.group() + "/providers/Microsoft.Network/virtualNetworks/net/subnets/sub"}, "publicIPAddress": map[string]any{"id": pip}}}}}})
		switch {
		case err == nil && status == http.StatusCreated:
			attached.Add(1)
		case err != nil || status != http.StatusBadRequest || !strings.Contains(string(answer), "PublicIPAddressInUse"):
			t.Errorf("%d %v %s", status, err, answer)
		}
	})
	if attached.Load() != 1 {
		t.Errorf("%d interfaces have the address", attached.Load())
	}
	all(func(i int) {
		if status, answer, err := c.do(t.Context(), "DELETE", nic(i)+networkVersion, nil); err != nil || status >= 300 {
			t.Errorf("%d %v %s", status, err, answer)
		}
	})
	await(within(t), t, "gone", func() bool {
		var p page
		if err := json.Unmarshal(c.must("GET", c.group()+"/providers/Microsoft.Network/networkInterfaces"+networkVersion, nil), &p); err != nil {
			t.Fatal(err)
		}
		return len(p.Value) == 1 // the machine's own
	})
	if body := string(c.must("GET", pip+networkVersion, nil)); strings.Contains(body, "ipConfiguration\"") {
		t.Errorf("the address still has a user: %s", body)
	}
	c.must("DELETE", pip+networkVersion, nil)
}

// TestTwoInstances runs two side by side: they share nothing, and the end of one leaves the
// other as it was.
func TestTwoInstances(t *testing.T) {
	a := buildProgram(t)
	b := &program{t: t, path: a.path, dir: t.TempDir()}
	t.Cleanup(func() { b.run("reset", "--force") })
	a.must("up", "--driver", "none")
	b.must("up", "--driver", "none")
	load := func(p *program) *instance.Instance {
		inst, err := instance.Load(p.dir)
		if err != nil {
			t.Fatal(err)
		}
		return inst
	}
	one, other := load(a), load(b)
	if one.Port == other.Port || one.Public == other.Public || one.ID == other.ID || one.Tenant == other.Tenant {
		t.Errorf("they share something: %+v, %+v", one, other)
	}
	ours, theirs := newCaller(t, one), newCaller(t, other)
	ours.prepare()
	theirs.prepare()
	stranger := *ours
	stranger.inst, stranger.http = other, theirs.http
	if status, _, err := stranger.do(t.Context(), "GET", theirs.group()+groupVersion, nil); err != nil || status != http.StatusUnauthorized {
		t.Errorf("a token of the other instance: %d %v", status, err)
	}
	a.kill()
	a.must("reset", "--force")
	theirs.must("GET", theirs.group()+groupVersion, nil)

	// An instance whose addresses another one has got meanwhile says so.
	b.must("down")
	held, err := instance.Claim(other.Public)
	if err != nil {
		t.Fatal(err)
	}
	if _, problems, err := b.run("up"); err == nil || !strings.Contains(problems, other.Public.String()) {
		t.Errorf("with foreign addresses: %v, %q", err, problems)
	}
	held.Close()
	b.must("up")
	theirs.must("GET", theirs.group()+groupVersion, nil)
}
