package throttle

import (
	"sync"
	"time"
)

// Account is a bucket by name. It is made full.
type Account struct {
	Key   string
	Limit Limit
}

// Level is a bucket after a request.
type Level struct {
	Left  int           // tokens
	Since time.Time     // start of the period under way
	Wait  time.Duration // until a token comes back, in time that passes here
	Asked int           // requests of the period, those that were refused too
}

// Meter keeps buckets. Many may use it at a time. A nil Meter has endless ones.
type Meter struct {
	// Scale is how long a duration of Azure's takes here.
	Scale func(time.Duration) time.Duration
	// Now is the time.
	Now func() time.Time

	mu      sync.Mutex
	buckets map[string]*bucket
	swept   int // buckets that the last sweep left
}

// Spend takes a token from each account, or from none: then short is the first account
// that has none left, else -1. Without enforce an empty bucket stays empty and short is -1.
func (m *Meter) Spend(enforce bool, accounts ...Account) (levels []Level, short int) {
	if m == nil {
		return make([]Level, len(accounts)), -1
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sweep()
	now := m.Now()
	all := make([]*bucket, len(accounts))
	short = -1
	for i, a := range accounts {
		all[i] = m.visit(a, now)
		all[i].asked++
		if all[i].tokens == 0 && enforce && short < 0 {
			short = i
		}
	}
	for _, b := range all {
		if short < 0 && b.tokens > 0 {
			b.tokens--
		}
		levels = append(levels, Level{Left: b.tokens, Since: b.since, Asked: b.asked, Wait: b.since.Add(m.per(b.limit)).Sub(now)})
	}
	return levels, short
}

// visit finds a bucket as it is now. One whose limit was changed is full anew.
func (m *Meter) visit(a Account, now time.Time) *bucket {
	b := m.buckets[a.Key]
	if b == nil || b.limit != a.Limit {
		b = &bucket{limit: a.Limit, tokens: a.Limit.Size, since: now}
		if m.buckets == nil {
			m.buckets = map[string]*bucket{}
		}
		m.buckets[a.Key] = b
		return b
	}
	b.refill(now, m.per(b.limit))
	if b.full() {
		b.since, b.asked = now, 0 // a period begins with the first token that is spent
	}
	return b
}

// per is a limit's period as it passes here; it takes its time, however fast the clock is.
func (m *Meter) per(l Limit) time.Duration { return max(m.Scale(l.Per), time.Microsecond) }

// sweep forgets buckets that are full, whenever there are twice as many as there were: each
// machine has some of its own, and most are asked for rarely.
func (m *Meter) sweep() {
	const few = 1000
	if len(m.buckets) < 2*m.swept+few {
		return
	}
	now := m.Now()
	for key, b := range m.buckets {
		if b.refill(now, m.per(b.limit)); b.full() {
			delete(m.buckets, key)
		}
	}
	m.swept = len(m.buckets)
}
