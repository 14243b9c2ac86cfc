package azure

import (
	"context"

	"mngr/internal/agent"
	"mngr/internal/prices"
)

// partPrices are what parts of hosts cost that no machine uses.
type partPrices struct{ priceBook }

// askPrices asks for the prices of a census's addresses and disks, whoever uses them.
func (c *census) askPrices(ctx context.Context, p *Provider) {
	var items []prices.Item
	for _, ip := range c.ips {
		items = append(items, prices.AddressItem(normalRegion(text(ip.Location))))
	}
	for _, d := range c.disks {
		if one, ok := diskOf(d); ok {
			if i, ok := prices.DiskItem(normalRegion(text(d.Location)), one.Kind, one.GB); ok {
				items = append(items, i)
			}
		}
	}
	if len(items) > 0 {
		ctx, done := agent.Within(ctx, agent.DeadlinePrices, "asking for prices")
		defer done(nil)
		c.prices = partPrices{p.priceBook(ctx, items)}
	}
}

// address is what one costs a month; nil when nobody knows.
func (b partPrices) address(region *string) *float64 {
	return b.month(prices.AddressItem(normalRegion(text(region))), true)
}

// disk is what one costs a month; nil when nobody knows.
func (b partPrices) disk(region *string, d agent.Disk) *float64 {
	i, ok := prices.DiskItem(normalRegion(text(region)), d.Kind, d.GB)
	return b.month(i, ok)
}

func (b partPrices) month(i prices.Item, ok bool) *float64 {
	if !ok || b.cache == nil {
		return nil
	}
	hour := b.price(&agent.Rate{}, i)
	if hour == nil {
		return nil
	}
	return new(*hour * agent.HoursPerMonth)
}
