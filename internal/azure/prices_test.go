package azure

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"mngr/internal/agent"
	"mngr/internal/prices"
)

// What was answered is not asked again for a day; an API that does not answer is left alone,
// and what it said before counts; a file that is damaged costs a question and no more.
func TestPricesAreKept(t *testing.T) {
	var asked atomic.Int32
	fail := atomic.Bool{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		switch filter := r.URL.Query().Get("$filter"); {
		case fail.Load():
			w.WriteHeader(http.StatusServiceUnavailable)
		case strings.Contains(filter, "Standard_B2s"):
			_, _ = w.Write([]byte(`{"Items":[{"currencyCode":"USD","retailPrice":0.05,"armRegionName":"eastus","serviceName":"Virtual Machines",
				"unitOfMeasure":"1 Hour","type":"Consumption","armSkuName":"Standard_B2s"}],"NextPageLink":null}`))
		default:
			_, _ = w.Write([]byte(`{"Items":[],"NextPageLink":"http://elsewhere.example/"}`))
		}
	}))
	defer server.Close()
	dir, now := t.TempDir(), time.Now()
	item, other := prices.MachineItem("eastus", "Standard_B2s", false), prices.AddressItem("eastus")
	list := retail{server.URL + retailPath, server.Client()}
	learn := func(at time.Time, items ...prices.Item) *priceCache {
		c := openPriceCache(dir, list.endpoint)
		if unknown := c.stale(items, at); len(unknown) > 0 {
			found, err := list.ask(t.Context(), unknown, at)
			c.learn(found, err != nil, at)
		}
		return openPriceCache(dir, list.endpoint)
	}
	want := func(what string, c *priceCache, at time.Time, price float64, questions int32) {
		t.Helper()
		p, ok := c.price(item, at)
		if ok != (price > 0) || ok && *p.PerHour != price || asked.Swap(0) != questions {
			t.Errorf("%s: %+v, %v", what, p, ok)
		}
	}
	want("the first time", learn(now, item), now, 0.05, 1)
	want("again", learn(now.Add(time.Hour), item), now, 0.05, 0)
	want("a page elsewhere is not followed", learn(now, item, other), now, 0.05, 1)
	if _, ok := openPriceCache(dir, list.endpoint).price(other, now); ok {
		t.Error("a price out of nothing")
	}
	fail.Store(true)
	later := now.Add(25 * time.Hour)
	want("a day later, without an answer", learn(later, item), later, 0.05, 1)
	want("and once more", learn(later.Add(time.Minute), item), later, 0.05, 0)
	want("ten minutes later", learn(later.Add(priceSilence), item), later, 0.05, 1)
	fail.Store(false)
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	if err := os.WriteFile(files[0], []byte(`{"prices":`), 0o600); err != nil {
		t.Fatal(err)
	}
	want("a damaged file", learn(now, item), now, 0.05, 1)
}

// Without a list of prices there is the table, marked; what it does not have is not known.
func TestRatesOfTheTable(t *testing.T) {
	p := newScript(t, nil).provider()
	disk := []agent.Disk{{Kind: "StandardSSD_LRS", GB: 30}}
	one := agent.Host{Region: "eastus", Size: "Standard_B2s", Disks: disk, Addresses: new(1)}
	spot, far, bare := one, one, one
	spot.Spot, far.Region, bare.Disks, bare.Addresses = true, "uksouth", nil, nil
	hosts := []agent.Host{one, spot, far, bare}
	rates := p.Rates(t.Context(), hosts)
	for n, want := range []struct {
		running, stopped agent.USD
	}{
		{agent.USD{Known: 0.0416 + 0.005 + 2.4/730}, agent.USD{Known: 0.005 + 2.4/730}},
		{agent.USD{Known: 0.005 + 2.4/730, Unknown: 1}, agent.USD{Known: 0.005 + 2.4/730}},
		{agent.USD{Known: 0.005, Unknown: 2}, agent.USD{Known: 0.005, Unknown: 1}},
		{agent.USD{Known: 0.0416, Unknown: 2}, agent.USD{Unknown: 2}},
	} {
		r := rates[n]
		for what, c := range map[string][2]agent.USD{"running": {r.Now(agent.BillingCompute), want.running}, "stopped": {r.Now(agent.BillingStorage), want.stopped}} {
			if off := c[0].Known - c[1].Known; off > 1e-9 || off < -1e-9 || c[0].Unknown != c[1].Unknown {
				t.Errorf("host %d %s: %+v, want %+v", n, what, c[0], c[1])
			}
		}
		if r.Source != agent.PriceTable || r.Date != prices.TableDate {
			t.Errorf("host %d: %+v", n, r)
		}
	}
}

// A list of prices that does not answer is asked once a run, also where nothing can be
// written down: each host more would wait for it again.
func TestPricesAreAskedOnceWhereNothingCanBeKept(t *testing.T) {
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	defer server.Close()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s := Defaults()
	s.Cloud, s.PriceDir = CloudCustom, filepath.Join(file, "prices")
	s.Endpoints = Endpoints{ResourceManager: server.URL, Authority: server.URL, RetailPrices: server.URL + retailPath}
	p, err := New(s)
	if err != nil {
		t.Fatal(err)
	}
	host := agent.Host{Region: "eastus", Size: "Standard_B2s", Disks: []agent.Disk{}, Addresses: new(1)}
	for range 3 {
		if rates := p.Rates(t.Context(), []agent.Host{host}); rates[0].Source != agent.PriceTable {
			t.Errorf("%+v", rates[0])
		}
	}
	if n := asked.Load(); n != 2 {
		t.Errorf("%d questions for two prices", n)
	}
}
