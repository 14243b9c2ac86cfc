package fabric

import (
	"context"
	"fmt"
	"strconv"
	"time"
)

// clockSetting is how many times as fast as on Azure its durations pass. Timestamps stay true.
const clockSetting = "clock"

// fastest bounds the clock: a day of Azure's passes in a second.
const fastest = 86400

func checkClock(value string) error {
	if v, err := strconv.ParseFloat(value, 64); err != nil || !(v > 0 && v <= fastest) {
		return fmt.Errorf("%s is a number above 0 and at most %d, not %q", clockSetting, fastest, value)
	}
	return nil
}

// Clock is how many times as fast as on Azure its durations pass.
func (s *Settings) Clock() float64 {
	v, err := strconv.ParseFloat(s.Value(clockSetting, ""), 64)
	if err != nil {
		return 1
	}
	return v
}

// Scale is how long d of Azure's time takes here.
func (s *Settings) Scale(d time.Duration) time.Duration {
	return time.Duration(float64(d) / s.Clock())
}

// Time is how long a duration takes here.
func (s *Settings) Time(name string) time.Duration { return s.Scale(s.azures(name)) }

func (s *Settings) azures(name string) time.Duration {
	d, err := time.ParseDuration(s.Value(name, ""))
	if err != nil {
		return 0
	}
	return d
}

// Sleep waits until a duration has passed. When it or the clock is changed meanwhile, what
// is left of it is waited for anew.
func (s *Settings) Sleep(ctx context.Context, name string) error {
	for passed := time.Duration(0); ; {
		clock, changed := s.Clock(), s.changes()
		left := time.Duration(float64(s.azures(name)-passed) / clock)
		if left <= 0 {
			return ctx.Err()
		}
		began, timer := time.Now(), time.NewTimer(left)
		select {
		case <-timer.C:
			return nil
		case <-changed:
			timer.Stop()
			passed += time.Duration(float64(time.Since(began)) * clock)
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
	}
}
