package fabric

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func realistic(t *testing.T, chosen map[string]string) *Settings {
	t.Helper()
	s, err := NewSettings(Realistic, []string{"westus"}, nil, chosen)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestSleep passes Azure's durations as fast as the clock says, also when it is changed on
// the way, and ends with its context.
func TestSleep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slept := func(s *Settings, then func()) time.Duration {
			began, done := time.Now(), make(chan error, 1)
			go func() { done <- s.Sleep(t.Context(), VMCreate) }()
			if then != nil {
				time.Sleep(30 * time.Second)
				then()
			}
			if err := <-done; err != nil {
				t.Fatal(err)
			}
			return time.Since(began)
		}
		choose := func(s *Settings, name, value string) func() {
			return func() {
				if err := s.Choose(map[string]string{name: value}); err != nil {
					t.Error(err)
				}
			}
		}
		if d := slept(realistic(t, nil), nil); d != 90*time.Second {
			t.Errorf("as on Azure: %v", d)
		}
		if d := slept(realistic(t, map[string]string{"clock": "60"}), nil); d != 1500*time.Millisecond {
			t.Errorf("60 times as fast: %v", d)
		}
		if d := slept(realistic(t, map[string]string{"clock": "0.5"}), nil); d != 3*time.Minute {
			t.Errorf("half as fast: %v", d)
		}
		s := realistic(t, nil)
		if d := slept(s, choose(s, "clock", "60")); d != 31*time.Second {
			t.Errorf("60 times as fast after 30 s: %v", d)
		}
		s = realistic(t, nil)
		if d := slept(s, choose(s, VMCreate, "20s")); d != 30*time.Second {
			t.Errorf("20 s after 30 s: %v", d)
		}
		s = realistic(t, nil)
		if d := slept(s, choose(s, VMDelete, "1s")); d != 90*time.Second {
			t.Errorf("after another change: %v", d)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := s.Sleep(ctx, VMCreate); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the context ended: %v", err)
		}
	})
}
