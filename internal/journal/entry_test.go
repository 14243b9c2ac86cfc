package journal

import (
	"bytes"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func sample(id string) Entry {
	return Entry{
		ID: id, Time: time.Date(2026, 5, 1, 12, 0, 0, 123456000, time.UTC), State: Sent, Command: "mngr stop --stop-host", Targets: []string{"a"},
		PID: 42, Machine: "laptop", Operator: "me", Principal: "p", App: "a", Tenant: "t", Provider: "azure", Subscription: "s",
		Method: "POST", Operation: "Microsoft.Compute/virtualMachines/deallocate/action", Resource: "/subscriptions/s", Attempt: 1,
	}
}

func TestLineComesBack(t *testing.T) {
	want := sample("1")
	want.State, want.Status, want.Code, want.Millis = Answered, 409, "Conflict", 12.5
	line, err := want.Line()
	if err != nil || !bytes.HasSuffix(line, []byte("}\n")) {
		t.Fatalf("%q, %v", line, err)
	}
	got, err := Parse(line)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// Whatever stands in an entry, its line is one line of at most 4 KiB that can be read, and
// keeps the ids.
func TestLineIsBounded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.Custom(func(t *rapid.T) string {
			return strings.Repeat(rapid.SampledFrom([]string{`"`, `\`, "\x00", "é", "\u2028", "a", "</"}).Draw(t, "unit"), rapid.IntRange(0, 3000).Draw(t, "n"))
		}))
		e := sample("0123456789-0123456789-0123456789-012")
		for _, field := range []*string{
			&e.Command, &e.Machine, &e.Operator, &e.Principal, &e.PrincipalName, &e.App, &e.Tenant, &e.Provider, &e.Subscription,
			&e.Operation, &e.Resource, &e.Request, &e.Correlation, &e.Code, &e.Trouble,
		} {
			*field = text.Draw(t, "text")
		}
		e.Targets = rapid.SliceOfN(text, 0, 40).Draw(t, "targets")
		line, err := e.Line()
		if err != nil || len(line) > maxLine || bytes.Count(line, []byte("\n")) != 1 {
			t.Fatalf("%d bytes, %d lines, %v", len(line), bytes.Count(line, []byte("\n")), err)
		}
		got, err := Parse(line)
		if err != nil || got.ID != e.ID || got.Method != e.Method || !got.Time.Equal(e.Time) {
			t.Fatalf("%+v, %v", got, err)
		}
	})
}

// What is read is fit for a terminal and written again as the same line, whoever wrote it.
func FuzzParse(f *testing.F) {
	line, _ := sample("x").Line()
	f.Add(line)
	f.Add([]byte(`{"client_request_id":"x","time":"2026-01-01T00:00:00Z","state":"answered","method":"PUT","resource_id":"\u001b]0;owned\u0007\u202e"}`))
	f.Add([]byte(`{"client_request_id":"` + strings.Repeat("é", 40) + `","time":"2026-01-01T00:00:00+23:59","state":"broken","method":"PUT","targets":["` + strings.Repeat("ab ", 2000) + `"]}`))
	f.Add([]byte(`{"client_request_id":"x","time":"2026-01-01T00:00:00Z","state":"SENT","method":"PUT"}`))
	f.Add([]byte("null"))
	f.Fuzz(func(t *testing.T, in []byte) {
		e, err := Parse(in)
		if err != nil {
			return
		}
		if e.ID == "" || e.Method == "" || e.Time.IsZero() || e.State != Sent && e.State != Answered && e.State != Broken || e.Targets == nil {
			t.Fatalf("took %q as %+v", in, e)
		}
		for _, s := range append([]string{
			e.ID, e.Command, e.Machine, e.Operator, e.Principal, e.PrincipalName, e.App, e.Tenant, e.Provider, e.Subscription,
			e.Method, e.Operation, e.Resource, e.Request, e.Correlation, e.Code, e.Trouble,
		}, e.Targets...) {
			if i := strings.IndexFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }); i >= 0 {
				t.Fatalf("not fit for a terminal at %d: %q", i, s)
			}
		}
		line, err := e.Line()
		if err != nil || len(line) > maxLine {
			t.Fatalf("%d bytes, %v", len(line), err)
		}
		again, err := Parse(line)
		if err != nil {
			t.Fatalf("its own line is not read: %v: %q", err, line)
		}
		second, err := again.Line()
		if err != nil || len(line) < 1024 && !bytes.Equal(line, second) {
			t.Fatalf("read and written again it differs: %v\n%s%s", err, line, second)
		}
	})
}
