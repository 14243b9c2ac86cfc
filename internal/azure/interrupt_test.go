package azure

import (
	"context"
	"strings"
	"testing"
	"time"

	"mngr/internal/agent"
)

// cut is a script whose user interrupts as soon as one request has arrived.
func (s *script) cut(t *testing.T, route string) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	go func() {
		for len(s.seen(route)) == 0 && pause(ctx, time.Millisecond) == nil {
		}
		cancel()
	}()
	return ctx
}

// Whatever Azure makes of a request that was under way when the user interrupted, no
// machine stays.
func TestInterruptedCreateLeavesNothing(t *testing.T) {
	slow := accepts(201, "op", machine("Creating", ""))
	slow.slow = 200 * time.Millisecond
	lost := scripted{hangUp: true, slow: 200 * time.Millisecond}
	for name, c := range map[string]struct {
		put []scripted
		get []scripted
	}{
		"accepted":                 {[]scripted{slow}, []scripted{says(200, machine("Creating", ""))}},
		"accepted, answer lost":    {[]scripted{lost}, []scripted{says(200, machine("Creating", ""))}},
		"accepted, shown too late": {[]scripted{lost}, []scripted{notThere, notThere, notThere, says(200, machine("Creating", ""))}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScript(t, with(granted(), nothingLeft(), map[string][]scripted{
				"PUT " + testVM: c.put, "GET " + testVM: c.get, "DELETE " + testVM: {says(204, "")},
				"DELETE " + assignmentRoute(): {says(204, "")},
			}))
			made, err := s.provider().Create(s.cut(t, "PUT "+testVM), testSpec(), nil)
			if made != nil || agent.KindOf(err) != agent.KindCanceled || !strings.Contains(err.Error(), "interrupted; the half-made host is removed") {
				t.Errorf("got %v, %v", made, err)
			}
			if len(s.seen("DELETE "+testVM)) != 1 {
				t.Error("the machine stays")
			}
		})
	}
}

// A machine that could not be taken back is named by its host's id: another host may have
// the name by the time somebody reads it.
func TestNotTakenBackIsNamedByItsID(t *testing.T) {
	slow := accepts(201, "op", machine("Creating", ""))
	slow.slow = 200 * time.Millisecond
	s := newScript(t, with(granted(), nothingLeft(), map[string][]scripted{
		"PUT " + testVM: {slow}, "GET " + testVM: {says(200, machine("Creating", ""))},
		"DELETE " + testVM: {refuses(409, "ScopeLocked", "The scope is locked.")},
	}))
	_, err := s.provider().Create(s.cut(t, "PUT "+testVM), testSpec(), nil)
	if hint := agent.HintOf(err); agent.KindOf(err) != agent.KindRemains || !strings.HasPrefix(hint, "mngr destroy --force @"+string(testHost)) {
		t.Errorf("got %v, hint %q", err, hint)
	}
}

// An interruption between the parts of a host removes those that are there, and asks for
// no machine.
func TestInterruptedSeparateCreate(t *testing.T) {
	ip := networks + "publicIPAddresses/" + ipName(testVMName)
	refused := says(400, `{"error":{"code":"InvalidParameter","target":"publicIPAddressConfiguration.sku","message":"Only with Flexible."}}`)
	slow := accepts(201, "ip", `{"properties":{"provisioningState":"Updating"}}`)
	slow.slow = 200 * time.Millisecond
	there := says(200, `{"value":[{"name":"`+ipName(testVMName)+`","id":"`+ip+`","properties":{}}]}`)
	looks := []scripted{says(200, emptyList)}
	for range 12 { // longer than a removed machine's parts are left to Azure
		looks = append([]scripted{there}, looks...)
	}
	s := newScript(t, with(nothingLeft(), map[string][]scripted{
		"PUT " + testVM: {refused}, "PUT " + ip: {slow}, "DELETE " + ip: {says(204, "")},
		"GET " + networks + "publicIPAddresses": looks,
		"GET " + operations + "ip":              {running},
	}))
	made, err := s.provider().Create(s.cut(t, "PUT "+ip), testSpec(), nil)
	if made != nil || agent.KindOf(err) != agent.KindCanceled {
		t.Errorf("got %v, %v", made, err)
	}
	if len(s.seen("DELETE "+ip)) == 0 {
		t.Error("the address stays")
	}
	if len(s.seen("PUT "+testVM)) != 1 {
		t.Error("a machine was asked for all the same")
	}
}

// Nothing is asked for by a user who has gone already.
func TestCreateAfterAnInterruption(t *testing.T) {
	s := newScript(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.provider().Create(ctx, testSpec(), nil); agent.KindOf(err) != agent.KindCanceled {
		t.Errorf("got %v", err)
	}
}

// A start is heard out, whatever becomes of its user: one that Azure takes up after it has
// been taken back would run on, and bill.
func TestInterruptedStartHearsTheAnswer(t *testing.T) {
	slow := acting("op")
	slow.slow = 200 * time.Millisecond
	s := newScript(t, map[string][]scripted{
		"POST " + testVM + "/start": {slow}, "GET " + operations + "op": {running},
	})
	phases := make(chan string, 9)
	err := s.provider().Start(s.cut(t, "POST "+testVM+"/start"), testVM, true, func(phase string) { phases <- phase })
	if agent.KindOf(err) != agent.KindCanceled {
		t.Errorf("got %v", err)
	}
	s.server.Close() // and with it the end of every request
	if s.unheard > 0 {
		t.Error("Azure's answer was not heard")
	}
	if first, second := <-phases, <-phases; first != "starting the machine" || second != phaseTakingBack {
		t.Errorf("phases %q, %q", first, second)
	}
}
