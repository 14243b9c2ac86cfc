package imds

import (
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"mngr/internal/azlocal/fabric"
	"mngr/internal/azlocal/throttle"
)

// TestLimits refuses a machine that asks too often, or for its identity too often at a
// time, and no other; a second later it is served again.
func TestLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		more := []fabric.Definition{fabric.Switch(fabric.Throttling, true)}
		settings, err := fabric.NewSettings(fabric.Realistic, nil, more, nil)
		if err != nil {
			t.Fatal(err)
		}
		world := &fabric.World{Config: fabric.Config{Settings: settings}}
		meter := &throttle.Meter{Scale: settings.Scale, Now: time.Now}
		one, other := &Handler{World: world, Meter: meter, Key: "one"}, &Handler{World: world, Meter: meter, Key: "other"}
		ask := func(h *Handler, identity bool) (code int, leave func()) {
			rec := httptest.NewRecorder()
			leave, ok := h.admit(rec, identity)
			if ok != (rec.Body.Len() == 0) {
				t.Errorf("served: %v, answered: %s", ok, rec.Body)
			}
			return rec.Code, leave
		}
		want := func(h *Handler, identity bool, codes ...int) {
			t.Helper()
			for i, code := range codes {
				got, leave := ask(h, identity)
				if leave(); got != code {
					t.Errorf("request %d: %d, want %d", i, got, code)
				}
			}
		}
		want(one, false, 200, 200, 200, 200, 200, 429, 429)
		want(other, false, 200)
		want(one, true, 200)
		time.Sleep(time.Second)
		want(one, false, 200)

		var all []func()
		for range 5 {
			code, leave := ask(one, true)
			if all = append(all, leave); code != 200 {
				t.Errorf("one of five at a time: %d", code)
			}
		}
		want(one, true, 429)
		want(other, true, 200)
		all[0]()
		want(one, true, 200)

		if err := settings.Choose(map[string]string{fabric.Throttling: "off"}); err != nil {
			t.Fatal(err)
		}
		want(one, true, 200, 200)
		want(one, false, 200, 200, 200, 200, 200, 200)
	})
}
