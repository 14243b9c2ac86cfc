package azure

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"time"

	"mngr/internal/atomicfile"
	"mngr/internal/prices"
)

const (
	// priceFresh is how long a price is good without asking again: list prices change
	// seldom, Spot prices once a month or so.
	priceFresh = 24 * time.Hour
	// priceUsable is how long one is better than the built-in table where nobody answers.
	priceUsable = 60 * 24 * time.Hour
	// priceSilence is how long an API that did not answer is left alone.
	priceSilence = 10 * time.Minute
	// mostPriceFile bounds the file that is read.
	mostPriceFile = 4 << 20
)

// priceCache is what one Retail Prices API has answered, in a file. What is wrong with the
// file makes it empty: everything in it can be asked for again.
type priceCache struct {
	path string // "" keeps nothing

	Prices map[string]cachedPrice `json:"prices"` // by the item's name
	Failed time.Time              `json:"failed_at,omitzero"`
}

// cachedPrice is an answer; without a price, that there is none.
type cachedPrice struct {
	PerHour *float64  `json:"usd_per_hour"`
	At      time.Time `json:"at"`
}

func openPriceCache(dir, endpoint string) *priceCache {
	c := &priceCache{Prices: map[string]cachedPrice{}}
	if dir == "" {
		return c
	}
	sum := sha256.Sum256([]byte(endpoint))
	c.path = filepath.Join(dir, hex.EncodeToString(sum[:8])+".json")
	info, err := os.Stat(c.path)
	if err != nil || !info.Mode().IsRegular() || info.Size() > mostPriceFile {
		return c
	}
	raw, err := os.ReadFile(c.path)
	if err != nil || json.Unmarshal(raw, c) != nil || c.Prices == nil {
		c.Prices, c.Failed = map[string]cachedPrice{}, time.Time{}
	}
	return c
}

// stale returns the items that are worth a question now.
func (c *priceCache) stale(items []prices.Item, now time.Time) []prices.Item {
	if since := now.Sub(c.Failed); since >= 0 && since < priceSilence {
		return nil
	}
	var out []prices.Item
	for _, i := range items {
		if p, known := c.Prices[i.String()]; !known || !p.within(priceFresh, now) {
			out = append(out, i)
		}
	}
	return out
}

func (p cachedPrice) within(age time.Duration, now time.Time) bool {
	old := now.Sub(p.At)
	return old < age && old > -age // a clock was set back
}

// learn takes answers over, and keeps them. A cache that cannot be written costs the next
// command another question, no more.
func (c *priceCache) learn(found map[prices.Item]*float64, failed bool, now time.Time) {
	c.Prices = maps.Clone(c.Prices) // copies of the cache are read meanwhile
	for i, price := range found {
		c.Prices[i.String()] = cachedPrice{price, now.UTC()}
	}
	c.Failed = time.Time{}
	if failed {
		c.Failed = now.UTC()
	}
	maps.DeleteFunc(c.Prices, func(_ string, p cachedPrice) bool { return !p.within(priceUsable, now) })
	raw, err := json.Marshal(c)
	if c.path == "" || err != nil || os.MkdirAll(filepath.Dir(c.path), 0o700) != nil {
		return
	}
	_ = atomicfile.Write(c.path, raw, 0o600)
}

// price is what is known of an item's price from the API.
func (c *priceCache) price(i prices.Item, now time.Time) (p cachedPrice, ok bool) {
	p, ok = c.Prices[i.String()]
	return p, ok && p.PerHour != nil && p.within(priceUsable, now)
}
