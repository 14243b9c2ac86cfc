package azure

import (
	"context"
	"strings"
	"testing"
	"time"

	"mngr/internal/agent"
)

const networkRoute = "/subscriptions/" + testSub + "/providers/Microsoft.Network"

// A new subscription takes its minutes, which the user sees; nothing else is written
// before they are over.
func TestRegisterWaits(t *testing.T) {
	says := func(state string) scripted { return says(200, `{"registrationState":"`+state+`"}`) }
	slow := []scripted{says("NotRegistered")}
	for range 50 {
		slow = append(slow, says("Registering"))
	}
	s := newScript(t, with(prepared(allRules...), map[string][]scripted{
		"GET " + networkRoute:                {slow[0], slow[1], slow[2], slow[3]},
		"POST " + networkRoute + "/register": {says("Registering")},
	}))
	s.routes[strings.ToLower("GET "+networkRoute)] = append(slow, says("Registered"))
	var phases []string
	got, err := s.provider().Prepare(t.Context(), PrepareOptions{}, func(phase string) { phases = append(phases, phase) })
	if err != nil || got.Parts[1] != (Part{Kind: kindNamespace, Name: namespaceNetwork, Action: Register}) {
		t.Errorf("got %+v, %v", got.Parts, err)
	}
	if n := len(s.seen("GET " + networkRoute)); n != 52 {
		t.Errorf("asked %d times", n)
	}
	if all := strings.Join(phases, "; "); !strings.Contains(all, "Microsoft.Network (a new subscription may need 15 minutes)") {
		t.Errorf("phases: %s", all)
	}
}

func TestRegisterFails(t *testing.T) {
	unregistered := with(prepared(allRules...), providersSay("NotRegistered"), map[string][]scripted{
		"GET " + group: {refuses(404, "ResourceGroupNotFound", "…")}, "GET " + nsg: {notThere}, "GET " + vnet: {notThere},
	})
	accepted := map[string][]scripted{}
	for _, name := range namespaces {
		accepted["POST /subscriptions/"+testSub+"/providers/"+name+"/register"] = []scripted{says(200, `{"registrationState":"Registering"}`)}
	}
	denial := refuses(403, "AuthorizationFailed", "The client 'x' does not have authorization to perform action 'Microsoft.Compute/register/action'.")
	for name, c := range map[string]struct {
		post  map[string][]scripted
		cut   bool // the user interrupts
		kind  agent.Kind
		cause string
		hint  string
	}{
		"no right":  {map[string][]scripted{"POST /subscriptions/" + testSub + "/providers/Microsoft.Compute/register": {denial}}, false, agent.KindDenied, "lacks the permission Microsoft.Compute/register/action", "az provider register --namespace Microsoft.Compute --subscription " + testSub},
		"no end":    {accepted, false, agent.KindTimeout, "Microsoft.Compute is not registered after", "az provider register --namespace Microsoft.Compute"},
		"no wish":   {accepted, true, agent.KindCanceled, "", ""},
		"no answer": {map[string][]scripted{"POST /subscriptions/" + testSub + "/providers/Microsoft.Compute/register": {refuses(409, "ReadOnlyDisabledSubscription", "…")}}, false, agent.KindDenied, "disabled", ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScript(t, with(unregistered, c.post))
			p := s.provider()
			ctx := t.Context()
			if c.kind == agent.KindTimeout {
				p.register = agent.Deadline(50 * time.Millisecond)
			}
			if c.cut {
				var cancel context.CancelFunc
				ctx, cancel = context.WithCancel(ctx)
				defer cancel()
				_, err := p.Prepare(ctx, PrepareOptions{}, func(phase string) {
					if strings.HasPrefix(phase, "waiting") {
						cancel()
					}
				})
				if agent.KindOf(err) != c.kind {
					t.Errorf("got %v", err)
				}
				return
			}
			_, err := p.Prepare(ctx, PrepareOptions{}, nil)
			if agent.KindOf(err) != c.kind || !strings.Contains(err.Error(), c.cause) || !strings.Contains(agent.HintOf(err), c.hint) {
				t.Errorf("got %v (%s), want %q with %q (%q)", err, agent.HintOf(err), c.kind, c.cause, c.hint)
			}
			if writes := s.seen("PUT *"); len(writes) != 0 {
				t.Errorf("wrote %v", writes)
			}
		})
	}
}

// Who may not register, nor even look, works in a subscription that is ready.
func TestRegisterNeedsNoRightOnceDone(t *testing.T) {
	no := refuses(403, "AuthorizationFailed", "…")
	for name, routes := range map[string]map[string][]scripted{
		"registered": providersSay("Registered"),
		"hidden": {"GET " + networkRoute: {no}, "GET " + strings.Replace(networkRoute, "Network", "Compute", 1): {no},
			"GET " + strings.Replace(networkRoute, "Network", "Storage", 1): {no}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScript(t, with(prepared(allRules...), routes))
			if _, err := s.provider().Prepare(t.Context(), PrepareOptions{}, nil); err != nil {
				t.Error(err)
			}
			wroteNothing(t, s)
		})
	}
}
