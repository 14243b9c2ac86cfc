package throttle

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

func direct(d time.Duration) time.Duration { return d }

// model is a bucket that remembers every token it gave: one is back when so many periods
// since the bucket was last full have ended.
type model struct {
	limit Limit
	left  int
	full  time.Time
	paid  int // periods since then that are accounted for
}

func (m *model) spend(now time.Time, enforce bool) bool {
	for m.left < m.limit.Size && !m.full.Add(time.Duration(m.paid+1)*m.limit.Per).After(now) {
		m.paid++
		m.left = min(m.limit.Size, m.left+m.limit.Refill)
	}
	if m.left == m.limit.Size {
		m.full, m.paid = now, 0
	}
	if m.left == 0 {
		return !enforce
	}
	m.left--
	return true
}

// TestMeterAgreesWithAModel spends from buckets that share a meter.
func TestMeterAgreesWithAModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := time.Unix(1e9, 0)
		m := &Meter{Scale: direct, Now: func() time.Time { return now }}
		var accounts []Account
		var models []*model
		for i := range 3 {
			l := Limit{Size: rapid.IntRange(1, 9).Draw(t, "size"), Refill: rapid.IntRange(1, 4).Draw(t, "refill"),
				Per: time.Duration(rapid.IntRange(1, 5).Draw(t, "per")) * time.Second}
			accounts = append(accounts, Account{fmt.Sprint(i), l})
			models = append(models, &model{limit: l, left: l.Size})
		}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 4000).Draw(t, "pause")) * time.Millisecond)
			i, enforce := rapid.IntRange(0, 2).Draw(t, "which"), rapid.Bool().Draw(t, "enforce")
			levels, short := m.Spend(enforce, accounts[i])
			ok := models[i].spend(now, enforce)
			if (short < 0) != ok || levels[0].Left != models[i].left {
				t.Fatalf("bucket %d: left %d, short %d; want %d, %v", i, levels[0].Left, short, models[i].left, ok)
			}
			if w := levels[0].Wait; w <= 0 || w > accounts[i].Limit.Per {
				t.Fatalf("a wait of %v, and a period is %v", w, accounts[i].Limit.Per)
			}
		}
	})
}

// TestAllOrNone wants nothing spent where one of the buckets is empty.
func TestAllOrNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &Meter{Scale: direct, Now: time.Now}
		large, small := Account{"large", Limit{10, 1, time.Minute}}, Account{"small", Limit{1, 1, time.Hour}}
		if levels, short := m.Spend(true, large, small); short != -1 || levels[0].Left != 9 || levels[1].Left != 0 {
			t.Errorf("first: %+v, %d", levels, short)
		}
		for n := 2; n <= 3; n++ {
			if levels, short := m.Spend(true, large, small); short != 1 || levels[0].Left != 9 || levels[1].Asked != n || levels[1].Wait != time.Hour {
				t.Errorf("refused: %+v, %d", levels, short)
			}
		}
		if levels, short := m.Spend(false, large, small); short != -1 || levels[0].Left != 8 || levels[1].Left != 0 {
			t.Errorf("not enforced: %+v, %d", levels, short)
		}
		time.Sleep(time.Hour)
		if levels, short := m.Spend(true, large, small); short != -1 || levels[0].Left != 9 || levels[1].Left != 0 {
			t.Errorf("refilled: %+v, %d", levels, short)
		}
	})
}

// TestScale passes the periods as fast as the clock says.
func TestScale(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clock := 60
		m := &Meter{Scale: func(d time.Duration) time.Duration { return d / time.Duration(clock) }, Now: time.Now}
		a := Account{"a", Limit{1, 1, time.Minute}}
		for range 3 {
			if levels, short := m.Spend(true, a); short != -1 || levels[0].Wait != time.Second {
				t.Fatalf("%+v, %d", levels, short)
			}
			if _, short := m.Spend(true, a); short != 0 {
				t.Fatal("an empty bucket gave")
			}
			time.Sleep(time.Second)
		}
	})
}

// TestChangedLimit begins with a full bucket.
func TestChangedLimit(t *testing.T) {
	m := &Meter{Scale: direct, Now: func() time.Time { return time.Unix(1e9, 0) }}
	l := Limit{200, 10, time.Second}
	m.Spend(true, Account{"a", l})
	for want := 4; want >= 0; want-- {
		if levels, short := m.Spend(true, Account{"a", l.Sized(5)}); short != -1 || levels[0].Left != want {
			t.Fatalf("%+v, %d; want %d", levels, short, want)
		}
	}
	if _, short := m.Spend(true, Account{"a", l.Sized(5)}); short != 0 {
		t.Error("six of five")
	}
	if levels, _ := m.Spend(true, Account{"a", l}); levels[0].Left != 199 {
		t.Errorf("%+v", levels)
	}
}

// TestSized refills in proportion.
func TestSized(t *testing.T) {
	l := Limit{200, 10, time.Second}
	for size, want := range map[int]Limit{200: l, 400: {400, 20, time.Second}, 20: {20, 1, time.Second}, 5: {5, 1, 4 * time.Second}, 1: {1, 1, 20 * time.Second}} {
		if got := l.Sized(size); got != want {
			t.Errorf("%d: %+v, want %+v", size, got, want)
		}
	}
}

// TestSweep forgets what is full and nothing else, with many at it at a time.
func TestSweep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &Meter{Scale: direct, Now: time.Now}
		kept := Account{"kept", Limit{5, 1, time.Hour}}
		m.Spend(true, kept)
		var wg sync.WaitGroup
		for g := range 4 {
			wg.Go(func() {
				for i := range 1000 {
					m.Spend(true, Account{fmt.Sprintf("%d.%d", g, i), Limit{5, 1, time.Second}})
				}
			})
		}
		wg.Wait()
		time.Sleep(time.Minute)
		for i := range 8000 {
			m.Spend(true, Account{fmt.Sprint("later.", i), Limit{5, 1, time.Second}})
		}
		levels, _ := m.Spend(true, kept)
		if len(m.buckets) > 8500 || levels[0].Left != 3 {
			t.Errorf("%d buckets, %+v", len(m.buckets), levels)
		}
	})
}
