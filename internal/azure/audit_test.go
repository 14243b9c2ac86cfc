package azure

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"mngr/internal/journal"
)

// ledger is a journal in memory.
type ledger struct {
	mu      sync.Mutex
	entries []journal.Entry
}

func (l *ledger) Append(e journal.Entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries = append(l.entries, e)
}

func (l *ledger) into(s *Settings) { s.Journal = l }

// Every attempt of a write is noted before it goes out and when it is answered, and reads
// are not; the id that is noted is the one that Azure gets.
func TestEachAttemptIsNoted(t *testing.T) {
	busy := refuses(429, "TooManyRequests", "slow down")
	busy.header = map[string]string{"Retry-After": "0", "x-ms-request-id": "r1", "x-ms-correlation-request-id": "c1"}
	done := accepts(202, "op", "")
	done.header["x-ms-request-id"], done.header["x-ms-correlation-request-id"] = "r2", "c2"
	s := newScript(t, map[string][]scripted{
		"POST " + testVM + "/deallocate": {busy, done},
	})
	log := &ledger{}
	if err := s.provider(log.into).Stop(t.Context(), testVM, false, nil); err != nil {
		t.Fatal(err)
	}
	asked := s.seen("POST " + testVM + "/deallocate")
	var got []string
	for n, e := range log.entries {
		if id := asked[n/2].header.Get("X-Ms-Client-Request-Id"); e.ID != id || id == "" {
			t.Errorf("entry %d has the id %q, and Azure got %q", n, e.ID, id)
		}
		got = append(got, fmt.Sprint(e.State, " ", e.Attempt, " ", e.Status, " ", e.Code, " ", e.Request, " ", e.Correlation))
	}
	want := []string{"sent 1 0   ", "answered 1 429 TooManyRequests r1 c1", "sent 2 0   ", "answered 2 202  r2 c2"}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if e := log.entries[0]; e.Operation != "Microsoft.Compute/virtualMachines/deallocate/action" || e.Resource != testVM || e.Provider != "azure" || e.Subscription != testSub {
		t.Errorf("%+v", e)
	}
}

// The intent is there before Azure sees the request; an answer that is lost leaves an entry
// that says so, without a URL.
func TestLostAnswerIsNoted(t *testing.T) {
	s := newScript(t, map[string][]scripted{"POST " + testVM + "/deallocate": {{hangUp: true}, accepts(202, "op", "")}})
	log := &ledger{}
	if err := s.provider(log.into).Stop(t.Context(), testVM, false, nil); err != nil {
		t.Fatal(err)
	}
	if len(log.entries) != 4 || log.entries[0].State != journal.Sent || log.entries[1].State != journal.Broken || log.entries[3].State != journal.Answered {
		t.Fatalf("%+v", log.entries)
	}
	if e := log.entries[1]; e.Trouble == "" || strings.Contains(e.Trouble, "https:") || e.Status != 0 || e.ID != log.entries[0].ID {
		t.Errorf("%+v", e)
	}
}

// Nothing of a body and nothing of a token is noted, and who the token is for is.
func TestNoSecretIsNoted(t *testing.T) {
	s := newScript(t, with(granted(), nothingLeft(), map[string][]scripted{
		"PUT " + testVM: {refuses(409, "SkuNotAvailable", "none")}, "GET " + testVM: {notThere},
	}))
	log := &ledger{}
	spec := testSpec()
	spec.CustomData = []byte("SECRETDATA")
	spec.AuthorizedKey = "ssh-ed25519 SECRETKEY"
	if _, err := s.provider(log.into).Create(t.Context(), spec, nil); err == nil {
		t.Fatal("created")
	}
	put := s.seen("PUT " + testVM)
	if len(put) == 0 || !strings.Contains(put[0].body, base64.StdEncoding.EncodeToString(spec.CustomData)) || !strings.Contains(put[0].body, "SECRETKEY") {
		t.Fatalf("the request has no secret that could be noted: %+v", put)
	}
	text, err := json.Marshal(log.entries)
	if err != nil || len(log.entries) < 2 {
		t.Fatal(err, log.entries)
	}
	for _, secret := range []string{"SECRET", base64.StdEncoding.EncodeToString(spec.CustomData), "Bearer", put[0].header.Get("Authorization")} {
		if strings.Contains(string(text), secret) {
			t.Errorf("%q is noted: %s", secret, text)
		}
	}
}

func TestBearer(t *testing.T) {
	token := func(payload string) string {
		return "e30." + base64.RawURLEncoding.EncodeToString([]byte(payload)) + ".sig"
	}
	for in, want := range map[string][4]string{
		token(`{"oid":"o","tid":"t","appid":"a","upn":"me@x"}`):               {"o", "t", "a", "me@x"},
		token(`{"oid":"o","tid":"t","azp":"b","preferred_username":"you@x"}`): {"o", "t", "b", "you@x"},
		token(`{"oid":"o","tid":"t","appid":"a","idtyp":"app"}`):              {"o", "t", "a", ""},
		token(`{"oid":7}`): {}, "t": {}, "": {}, "a.!.c": {}, token(`null`): {},
	} {
		c := bearer(in)
		if got := [4]string{c.ObjectID, c.TenantID, c.app(), c.name()}; got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

// The names are those of Azure's roles (Microsoft, "Azure resource provider operations").
func TestOperationOf(t *testing.T) {
	const sub = "/subscriptions/s"
	const group = sub + "/resourceGroups/g"
	const vm = group + "/providers/Microsoft.Compute/virtualMachines/v"
	for _, c := range []struct{ method, path, operation, resource string }{
		{"PUT", vm, "Microsoft.Compute/virtualMachines/write", vm},
		{"PATCH", vm, "Microsoft.Compute/virtualMachines/write", vm},
		{"DELETE", vm + "/", "Microsoft.Compute/virtualMachines/delete", vm},
		{"POST", vm + "/deallocate", "Microsoft.Compute/virtualMachines/deallocate/action", vm},
		{"PUT", sub + "/resourcegroups/g", "Microsoft.Resources/subscriptions/resourceGroups/write", sub + "/resourcegroups/g"},
		{"DELETE", sub + "/resourcegroups/g", "Microsoft.Resources/subscriptions/resourceGroups/delete", sub + "/resourcegroups/g"},
		{"POST", sub + "/providers/Microsoft.Compute/register", "Microsoft.Compute/register/action", sub + "/providers/Microsoft.Compute"},
		{"PATCH", vm + "/providers/Microsoft.Resources/tags/default", "Microsoft.Resources/tags/write", vm + "/providers/Microsoft.Resources/tags/default"},
		{"PUT", vm + "/providers/Microsoft.Authorization/roleAssignments/r", "Microsoft.Authorization/roleAssignments/write", vm + "/providers/Microsoft.Authorization/roleAssignments/r"},
		{"PUT", "/arm" + group + "/providers/Microsoft.Network/networkSecurityGroups/n/securityRules/r", "Microsoft.Network/networkSecurityGroups/securityRules/write", group + "/providers/Microsoft.Network/networkSecurityGroups/n/securityRules/r"},
		{"POST", "/", "Microsoft.Resources/action", ""},
	} {
		if operation, resource := operationOf(c.method, c.path); operation != c.operation || resource != c.resource {
			t.Errorf("%s %s: %s of %s, want %s of %s", c.method, c.path, operation, resource, c.operation, c.resource)
		}
	}
}
