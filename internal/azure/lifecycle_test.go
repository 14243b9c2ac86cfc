package azure

import (
	"context"
	"strings"
	"testing"

	"mngr/internal/agent"
)

// acting is 202 with both headers and no body, as machine actions answer.
func acting(operation string) scripted {
	a := accepts(202, operation, "")
	a.header["Location"] = "{host}" + operations + operation + "-result?monitor=true&api-version=2026-04-01"
	return a
}

func TestStopAndStart(t *testing.T) {
	preempted := says(200, `{"status":"Canceled","error":{"code":"OperationPreempted","message":"…"}}`)
	stopping := refuses(409, "OperationNotAllowed", "…because there is already an operation in progress")
	for name, c := range map[string]struct {
		route string
		do    func(*Provider, context.Context, bool) error
	}{
		"stop": {"POST " + testVM + "/deallocate", func(p *Provider, ctx context.Context, wait bool) error {
			return p.Stop(ctx, testVM, wait, nil)
		}},
		"start": {"POST " + testVM + "/start", func(p *Provider, ctx context.Context, wait bool) error {
			return p.Start(ctx, testVM, wait, nil)
		}},
	} {
		for outcome, o := range map[string]struct {
			answers []scripted
			op      []scripted
			wait    bool
			kind    agent.Kind
			polls   int
		}{
			"waits":         {[]scripted{acting("op")}, []scripted{running, succeeded}, true, "", 2},
			"does not wait": {[]scripted{acting("op")}, nil, false, "", 0},
			"is patient":    {[]scripted{stopping, refuses(409, "Conflict", "busy"), acting("op")}, []scripted{succeeded}, true, "", 1},
			"has no room":   {[]scripted{refuses(409, "SkuNotAvailable", "…")}, nil, true, agent.KindNoCapacity, 0},
			"finds no room": {[]scripted{acting("op")}, []scripted{says(200, `{"status":"Failed","error":{"code":"AllocationFailed","message":"Allocation failed."}}`)}, true, agent.KindNoCapacity, 1},
			"is preempted":  {[]scripted{acting("op")}, []scripted{preempted}, true, agent.KindConflict, 4},
			"asks again":    {[]scripted{acting("op")}, []scripted{preempted, preempted, succeeded}, true, "", 3},
			"is throttled":  {[]scripted{refuses(429, "TooManyRequests", "…"), refuses(500, "InternalServerError", "…"), {hangUp: true}, acting("op")}, []scripted{succeeded}, true, "", 1},
			"finds nothing": {[]scripted{notThere}, nil, true, agent.KindNotFound, 0},
		} {
			t.Run(name+" "+outcome, func(t *testing.T) {
				routes := map[string][]scripted{c.route: o.answers, "GET " + operations + "op-result": {says(200, "")}}
				if o.op != nil {
					routes["GET "+operations+"op"] = o.op
				}
				s := newScript(t, routes)
				err := c.do(s.provider(), t.Context(), o.wait)
				if (err == nil) != (o.kind == "") || err != nil && agent.KindOf(err) != o.kind {
					t.Errorf("got %v, want %q", err, o.kind)
				}
				if n := len(s.seen("GET " + operations + "op")); n != o.polls {
					t.Errorf("polled %d times, want %d", n, o.polls)
				}
			})
		}
	}
}

func TestInterruptedWait(t *testing.T) {
	s := newScript(t, map[string][]scripted{
		"POST " + testVM + "/deallocate": {acting("op")}, "GET " + operations + "op": {running},
	})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	p := s.provider()
	done := make(chan error)
	go func() { done <- p.Stop(ctx, testVM, true, nil) }()
	for len(s.seen("GET "+operations+"op")) == 0 {
		if err := pause(t.Context(), p.settings.PollInterval); err != nil {
			t.Fatal(err)
		}
	}
	cancel()
	if err := <-done; agent.KindOf(err) != agent.KindCanceled {
		t.Errorf("got %v", err)
	}
}

// A machine for which there is no room loses nothing, and flags of create do not help it.
func TestStartWithoutRoom(t *testing.T) {
	for code, want := range map[string]string{"AllocationFailed": "az vm resize --ids " + testVM, "QuotaExceeded": "az vm list-usage",
		"SpotPriceGreaterThanProvidedMaxPrice": "az vm update --ids " + testVM + " --max-price -1"} {
		s := newScript(t, map[string][]scripted{"POST " + testVM + "/start": {acting("op")}, "GET " + operations + "op": {
			says(200, `{"status":"Failed","error":{"code":"`+code+`","message":"No."}}`)}})
		err := s.provider().Start(t.Context(), testVM, true, nil)
		if err == nil || !strings.Contains(err.Error(), "nothing is lost") || !strings.Contains(agent.HintOf(err), want) || strings.Contains(agent.HintOf(err), "--azure-vm-size") {
			t.Errorf("%s: %v, hint %q", code, err, agent.HintOf(err))
		}
	}
}

// Whoever stops a host has ended its agents already: an interruption ends the wait only.
func TestInterruptedStopIsAskedFor(t *testing.T) {
	s := newScript(t, map[string][]scripted{"POST " + testVM + "/deallocate": {acting("op")}})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.provider().Stop(ctx, testVM, true, nil); agent.KindOf(err) != agent.KindCanceled {
		t.Errorf("got %v", err)
	}
	if len(s.seen("POST "+testVM+"/deallocate")) != 1 {
		t.Error("Azure was not asked")
	}
}

func TestMergeTags(t *testing.T) {
	route := testVM + "/providers/Microsoft.Resources/tags/default"
	busy := refuses(409, "ConflictingConcurrentWriteNotAllowed", "…")
	s := newScript(t, map[string][]scripted{
		"PATCH " + route: {busy, says(200, `{"properties":{"tags":{}}}`)},
		"GET " + route:   {says(200, `{"properties":{"tags":{"Mngr-Agent-X-State":"stopped","other":"y"}}}`)},
	})
	p := s.provider()
	if err := p.MergeTags(t.Context(), testVM, map[string]string{"a": "b"}, []string{"mngr-agent-x-state", "never"}); err != nil {
		t.Fatal(err)
	}
	sent := s.seen("PATCH " + route)
	if len(sent) != 3 {
		t.Fatalf("%d requests, want one refused, one merge and one delete", len(sent))
	}
	if got := sent[1].body; got != `{"operation":"Merge","properties":{"tags":{"a":"b"}}}` {
		t.Errorf("merged %s", got)
	}
	if got := sent[2].body; got != `{"operation":"Delete","properties":{"tags":{"Mngr-Agent-X-State":"stopped"}}}` {
		t.Errorf("deleted %s", got)
	}
	if err := p.MergeTags(t.Context(), testVM, map[string]string{"a": strings.Repeat("ä", 257)}, nil); agent.KindOf(err) != agent.KindUsage {
		t.Errorf("a long value: %v", err)
	}
	if n := len(s.seen("PATCH " + route)); n != 3 {
		t.Error("a refused value was sent")
	}
}
