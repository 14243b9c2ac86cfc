package azure

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"

	"mngr/internal/agent"
	"mngr/internal/prices"
)

// Planned is a host as it would be billed: no more of it exists.
func (p *Provider) Planned(spec agent.MachineSpec) agent.Host {
	if resolved, err := p.settings.resolve(spec); err == nil {
		spec = resolved
	}
	return agent.Host{
		ID: spec.HostID, Name: spec.HostName, Provider: p.settings.Name, Region: spec.Region, Size: spec.Size, Spot: spec.Spot,
		State: agent.HostRunning, Billing: agent.BillingCompute, Addresses: new(1),
		Disks: []agent.Disk{{Kind: p.settings.OSDiskType, GB: int(p.settings.OSDiskSizeGB)}},
	}
}

// Rates are what hosts cost, in their order. It asks the cloud's price list for what this
// machine does not know yet, for no longer than DeadlinePrices, and never fails: what is not known
// then comes out of a dated table, or is nil.
func (p *Provider) Rates(ctx context.Context, hosts []agent.Host) []agent.Rate {
	ctx, done := agent.Within(ctx, agent.DeadlinePrices, "asking for prices")
	defer done(nil)
	hosts = p.withDisks(ctx, hosts)
	var items []prices.Item
	for _, h := range hosts {
		items = append(items, itemsOf(h)...)
	}
	book := p.priceBook(ctx, items)
	rates := make([]agent.Rate, len(hosts))
	for n, h := range hosts {
		rates[n] = book.rate(h)
	}
	return rates
}

// itemsOf are the things that a host is billed for.
func itemsOf(h agent.Host) []prices.Item {
	items := []prices.Item{prices.MachineItem(h.Region, h.Size, h.Spot), prices.AddressItem(h.Region)}
	for _, d := range h.Disks {
		if i, ok := prices.DiskItem(h.Region, d.Kind, d.GB); ok {
			items = append(items, i)
		}
	}
	return items
}

// priceBook has what is known of prices now.
type priceBook struct {
	cache *priceCache
	now   time.Time
}

// priceBook asks for what is not known of items, or was asked too long ago.
func (p *Provider) priceBook(ctx context.Context, items []prices.Item) priceBook {
	slices.SortFunc(items, func(a, b prices.Item) int { return strings.Compare(a.String(), b.String()) })
	items = slices.Compact(items)
	now := time.Now()
	at, err := p.settings.place()
	if err != nil || at.retail == "" {
		return priceBook{openPriceCache("", ""), now}
	}
	p.pricing.Lock()
	defer p.pricing.Unlock()
	if p.learned == nil {
		p.learned = openPriceCache(p.settings.PriceDir, at.retail)
	}
	if unknown := p.learned.stale(items, now); len(unknown) > 0 {
		found, err := retail{at.retail, at.client}.ask(ctx, unknown, now)
		p.learned.learn(found, err != nil && (ctx.Err() == nil || agent.Passed(ctx)), now)
	}
	return priceBook{new(*p.learned), now}
}

// rate puts a host's parts together.
func (b priceBook) rate(h agent.Host) agent.Rate {
	r := agent.Rate{}
	r.Compute = b.price(&r, prices.MachineItem(h.Region, h.Size, h.Spot))
	switch address := b.price(&r, prices.AddressItem(h.Region)); {
	case h.Addresses != nil && *h.Addresses == 0:
		r.Address = new(0.0)
	case h.Addresses != nil && address != nil:
		r.Address = new(*address * float64(*h.Addresses))
	}
	if h.Disks == nil {
		return r
	}
	sum := agent.USD{}
	for _, d := range h.Disks {
		var price *float64
		if i, ok := prices.DiskItem(h.Region, d.Kind, d.GB); ok {
			price = b.price(&r, i)
		}
		sum = sum.Add(price, 1)
	}
	r.Disk = sum.Exact()
	return r
}

// price finds an item's price, USD an hour, and notes in r where it comes from; nil when it
// is not known.
func (b priceBook) price(r *agent.Rate, i prices.Item) *float64 {
	if p, ok := b.cache.price(i, b.now); ok {
		if r.Source == "" {
			r.Source = agent.PriceRetail
		}
		if date := p.At.UTC().Format(time.DateOnly); r.Date == "" || date < r.Date {
			r.Date = date
		}
		return p.PerHour
	}
	if listed, ok := i.Listed(); ok {
		r.Source = agent.PriceTable
		if r.Date == "" || prices.TableDate < r.Date {
			r.Date = prices.TableDate
		}
		return &listed
	}
	return nil
}

// disksOf are the disks of a machine as it shows them itself; nil where it does not say.
func disksOf(vm *armcompute.VirtualMachine) []agent.Disk {
	if vm.Properties == nil || vm.Properties.StorageProfile == nil || vm.Properties.StorageProfile.OSDisk == nil {
		return nil
	}
	storage := vm.Properties.StorageProfile
	var out []agent.Disk
	add := func(kind *armcompute.ManagedDiskParameters, gb *int32) bool {
		if kind == nil || kind.StorageAccountType == nil || gb == nil || *gb <= 0 {
			return false
		}
		out = append(out, agent.Disk{Kind: string(*kind.StorageAccountType), GB: int(*gb)})
		return true
	}
	if !add(storage.OSDisk.ManagedDisk, storage.OSDisk.DiskSizeGB) {
		return nil
	}
	for _, d := range storage.DataDisks {
		if d == nil || !add(d.ManagedDisk, d.DiskSizeGB) {
			return nil
		}
	}
	return out
}

// withDisks looks at the disks themselves where machines do not show them: Azure may leave
// size and kind out of one that is deallocated.
func (p *Provider) withDisks(ctx context.Context, hosts []agent.Host) []agent.Host {
	missing := func(h agent.Host) bool { return h.Disks == nil && h.Billing != agent.BillingNone && h.Resource != "" }
	if !slices.ContainsFunc(hosts, missing) {
		return hosts
	}
	s, err := p.session(ctx)
	if err != nil {
		return hosts
	}
	disks, err := s.listDisks(ctx, p.settings.ResourceGroup)
	if err != nil {
		return hosts
	}
	hosts = slices.Clone(hosts)
	for n := range hosts {
		if missing(hosts[n]) {
			hosts[n].Disks = attachedTo(disks, hosts[n].Resource)
		}
	}
	return hosts
}

func attachedTo(disks []*armcompute.Disk, machine string) []agent.Disk {
	var out []agent.Disk
	for _, d := range disks {
		if !strings.EqualFold(text(d.ManagedBy), machine) {
			continue
		}
		one, ok := diskOf(d)
		if !ok {
			return nil
		}
		out = append(out, one)
	}
	return out
}

func diskOf(d *armcompute.Disk) (agent.Disk, bool) {
	if d.SKU == nil || d.SKU.Name == nil || d.Properties == nil || d.Properties.DiskSizeGB == nil {
		return agent.Disk{}, false
	}
	return agent.Disk{Kind: string(*d.SKU.Name), GB: int(*d.Properties.DiskSizeGB)}, true
}
