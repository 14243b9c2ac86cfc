package throttle

import "time"

// Limit is the size of a bucket, and how many tokens come back at the end of each period.
type Limit struct {
	Size, Refill int
	Per          time.Duration // of Azure's time
}

// Sized is the limit with another size. It refills in proportion, at least one token at a
// time.
func (l Limit) Sized(size int) Limit {
	refill := size * l.Refill / l.Size
	if refill > 0 {
		return Limit{size, refill, l.Per}
	}
	return Limit{size, 1, l.Per * time.Duration(l.Size) / time.Duration(size*l.Refill)}
}

// times is the limit n times as large.
func (l Limit) times(n int) Limit { return Limit{l.Size * n, l.Refill * n, l.Per} }

// bucket is what is left under a limit.
type bucket struct {
	limit  Limit
	tokens int
	since  time.Time // of the period under way: the last refill, or when it was last full
	asked  int       // in this period, refused ones too
}

// refill gives back what the time since the last visit has brought.
func (b *bucket) refill(now time.Time, per time.Duration) {
	periods := int64(now.Sub(b.since) / per)
	if periods <= 0 {
		return
	}
	b.since = b.since.Add(time.Duration(periods) * per)
	b.asked = 0
	missing := int64(b.limit.Size - b.tokens)
	if periods >= missing || periods*int64(b.limit.Refill) >= missing {
		b.tokens = b.limit.Size
		return
	}
	b.tokens += int(periods) * b.limit.Refill
}

func (b *bucket) full() bool { return b.tokens == b.limit.Size }
