package bill

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"path/filepath"
	"testing"
	"time"

	"pgregory.net/rapid"

	"mngr/internal/azlocal/compute"
	"mngr/internal/azlocal/doc"
	"mngr/internal/azlocal/fabric"
	"mngr/internal/azlocal/network"
	"mngr/internal/azlocal/store"
)

// town is a world with a clock that the test moves.
type town struct {
	t     rapid.TB
	path  string
	at    time.Time
	world *fabric.World
	books *Ledger
}

func open(t rapid.TB, path string, at time.Time) *town {
	t.Helper()
	w := &town{t: t, path: path, at: at}
	w.books = NewLedger(func() time.Time { return w.at })
	s, err := store.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	w.world, err = fabric.New(fabric.Config{Ledger: w.books, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return w.at }}, s)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *town) update(f func(*fabric.Tx) error) error { return w.world.Update(f) }

func (w *town) close() {
	w.t.Helper()
	if err := w.world.Close(); err != nil {
		w.t.Fatal(err)
	}
}

func id(kind string, n int) string {
	return fmt.Sprintf("/subscriptions/s/resourceGroups/rg/providers/%s/r%d", kind, n)
}

func vm(n int, size, region string, power compute.PowerState, priority string) *fabric.Document {
	return &fabric.Document{ID: id(compute.TypeVM, n), Hidden: doc.Object{"power": string(power)}, Body: doc.Object{"location": region,
		"properties": map[string]any{"priority": priority, "hardwareProfile": map[string]any{"vmSize": size}}}}
}

func disk(n, gigabytes int, sku, region string) *fabric.Document {
	return &fabric.Document{ID: id(compute.TypeDisk, n), Body: doc.Object{"location": region, "sku": map[string]any{"name": sku},
		"properties": map[string]any{"diskSizeGB": float64(gigabytes)}}}
}

func address(n int, at string) *fabric.Document {
	return &fabric.Document{ID: id(network.TypePublicIP, n), Body: doc.Object{"location": "westus", "sku": map[string]any{"name": "Standard"},
		"properties": map[string]any{"ipAddress": at, "publicIPAllocationMethod": "Static"}}}
}

// TestCostIsTheIntegral writes random histories with crashes in between and compares the
// books with the sum, hour by hour, of what was billed at each moment.
func TestCostIsTheIntegral(t *testing.T) {
	dir, check := t.TempDir(), 0
	rapid.Check(t, func(t *rapid.T) {
		check++
		w := open(t, filepath.Join(dir, fmt.Sprint(check)), time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
		defer func() { w.close() }()
		var usd, unknown, later, laterUnknown float64 // later: from the middle on
		middle := time.Time{}
		steps := rapid.IntRange(1, 40).Draw(t, "steps")
		for step := range steps {
			if step == steps/2 {
				middle = w.at
			}
			change(t, w)
			if rapid.IntRange(0, 9).Draw(t, "crash") == 0 {
				w.close()
				w = open(t, w.path, w.at)
			}
			hours := float64(rapid.IntRange(0, 5000).Draw(t, "minutes")) / 60
			w.world.View(func(tx *fabric.Tx) {
				for _, c := range compute.Bill(tx) {
					cost, more := 0.0, hours
					if c.PerHour != nil {
						cost, more = *c.PerHour*hours, 0
					}
					usd, unknown = usd+cost, unknown+more
					if !middle.IsZero() {
						later, laterUnknown = later+cost, laterUnknown+more
					}
				}
			})
			w.at = w.at.Add(time.Duration(hours * float64(time.Hour)))
		}
		near(t, "all", w.books.Report(time.Time{}), usd, unknown)
		near(t, "from the middle on", w.books.Report(middle), later, laterUnknown)
	})
}

// change does something at random: a transaction that may be refused after all.
func change(t *rapid.T, w *town) {
	n := rapid.IntRange(0, 2).Draw(t, "n")
	region := rapid.SampledFrom([]string{"eastus", "westus", "uksouth"}).Draw(t, "region")
	refused := rapid.IntRange(0, 4).Draw(t, "refused") == 0
	err := w.update(func(tx *fabric.Tx) error {
		switch rapid.SampledFrom([]string{"vm", "vm", "vm", "disk", "address", "delete"}).Draw(t, "what") {
		case "vm":
			power := rapid.SampledFrom([]compute.PowerState{compute.Unknown, compute.Starting, compute.Running, compute.Stopping, compute.Stopped, compute.Deallocating, compute.Deallocated}).Draw(t, "power")
			tx.Put(vm(n, rapid.SampledFrom([]string{"Standard_B2s", "Standard_D2s_v5", "Standard_X"}).Draw(t, "size"), region, power, rapid.SampledFrom([]string{"", "Spot"}).Draw(t, "priority")))
		case "disk":
			tx.Put(disk(n, rapid.IntRange(1, 2000).Draw(t, "size"), rapid.SampledFrom([]string{"StandardSSD_LRS", "Premium_LRS"}).Draw(t, "sku"), region))
		case "address":
			tx.Put(address(n, rapid.SampledFrom([]string{"", "127.1.2.3"}).Draw(t, "address")))
		default:
			tx.Delete(id(rapid.SampledFrom(compute.BilledTypes()).Draw(t, "type"), n))
		}
		if refused {
			return fmt.Errorf("refused")
		}
		return nil
	})
	if refused != (err != nil) {
		t.Fatal(err)
	}
}

func near(t *rapid.T, what string, r Report, usd, unknown float64) {
	if math.Abs(r.USD-usd) > 1e-6 || math.Abs(r.Unknown-unknown) > 1e-4 {
		t.Fatalf("%s: %.9f USD and %.6f unknown hours, want %.9f and %.6f: %+v", what, r.USD, r.Unknown, usd, unknown, r)
	}
}

// TestPrices holds what is billed in each state to the documentation, and a price that
// nobody knows to be no price, not 0.
func TestPrices(t *testing.T) {
	for name, c := range map[string]struct {
		doc  *fabric.Document
		item string // "" is not billed
		want string // USD an hour, JSON
	}{
		"creating":      {vm(0, "Standard_B2s", "eastus", compute.Unknown, ""), "", ""},
		"running":       {vm(0, "Standard_B2s", "eastus", compute.Running, ""), "Standard_B2s", "0.0416"},
		"stopped":       {vm(0, "Standard_B2s", "westus", compute.Stopped, ""), "Standard_B2s", "0.0496"},
		"deallocating":  {vm(0, "Standard_B2s", "eastus", compute.Deallocating, ""), "", ""},
		"deallocated":   {vm(0, "Standard_B2s", "eastus", compute.Deallocated, ""), "", ""},
		"Spot":          {vm(0, "Standard_D2s_v5", "eastus", compute.Running, "Spot"), "Standard_D2s_v5 Spot", "0.0288"},
		"unknown":       {vm(0, "Standard_B2s", "uksouth", compute.Running, ""), "Standard_B2s", "null"},
		"disk":          {disk(0, 30, "StandardSSD_LRS", "eastus"), "E4 LRS", "0.003287671232876712"},
		"larger disk":   {disk(0, 65, "StandardSSD_LRS", "eastus"), "E10 LRS", "0.013150684931506848"},
		"unknown disk":  {disk(0, 30, "Premium_LRS", "eastus"), "P4 LRS", "null"},
		"disk far off":  {disk(0, 30, "StandardSSD_LRS", "uksouth"), "E4 LRS", "null"},
		"address":       {address(0, "127.1.2.3"), "Standard IPv4 static", "0.005"},
		"address to be": {address(0, ""), "", ""},
	} {
		got, ok := compute.ChargeFor(c.doc)
		if ok != (c.item != "") {
			t.Errorf("%s: billed %v", name, ok)
			continue
		}
		if price, _ := json.Marshal(got.PerHour); ok && (got.Item != c.item || string(price) != c.want) {
			t.Errorf("%s: %s at %s", name, got.Item, price)
		}
	}
}

// TestBooksStaySmall deletes more machines than are kept apart, and cycles one more often
// than its spans are: no cent is lost.
func TestBooksStaySmall(t *testing.T) {
	w := open(t, filepath.Join(t.TempDir(), "store"), time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	defer w.close()
	set := func(d *fabric.Document) {
		if err := w.update(func(tx *fabric.Tx) error { tx.Put(d); return nil }); err != nil {
			t.Fatal(err)
		}
		w.at = w.at.Add(time.Hour)
	}
	for range 3 * maxSpans {
		set(vm(0, "Standard_B2s", "eastus", compute.Running, ""))
		set(vm(0, "Standard_B2s", "eastus", compute.Deallocated, ""))
	}
	if r := w.books.Report(time.Time{}); math.Abs(r.USD-3*maxSpans*0.0416) > 1e-9 || len(w.books.accounts) != 1 {
		t.Fatalf("after %d cycles: %+v", 3*maxSpans, r)
	}
	for _, a := range w.books.accounts {
		if len(a.Past) > maxSpans {
			t.Errorf("%d spans", len(a.Past))
		}
	}
	before := w.books.Report(time.Time{}).USD
	const many = maxGone + 2*foldAtOnce
	for n := range many {
		set(vm(n+1, "Standard_B2s", "eastus", compute.Running, ""))
		if err := w.update(func(tx *fabric.Tx) error { tx.Delete(id(compute.TypeVM, n+1)); return nil }); err != nil {
			t.Fatal(err)
		}
	}
	r := w.books.Report(time.Time{})
	if got := r.USD - before; math.Abs(got-many*0.0416) > 1e-6 || len(w.books.accounts) > maxGone+2 {
		t.Fatalf("%.6f USD, %d accounts", got, len(w.books.accounts))
	}
	if r.Unknown != 0 || r.PerHour != 0 {
		t.Errorf("%+v", r)
	}
}

// TestNotWrittenIsNotBooked takes a change back that the store did not take.
func TestNotWrittenIsNotBooked(t *testing.T) {
	w := open(t, filepath.Join(t.TempDir(), "store"), time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	put := func(n int) error {
		return w.update(func(tx *fabric.Tx) error { tx.Put(vm(n, "Standard_B2s", "eastus", compute.Running, "")); return nil })
	}
	if err := put(0); err != nil {
		t.Fatal(err)
	}
	w.close()
	if err := put(1); err == nil {
		t.Fatal("a closed store took a transaction")
	}
	if r := w.books.Report(time.Time{}); len(r.Resources) != 1 {
		t.Errorf("%+v", r.Resources)
	}
}
