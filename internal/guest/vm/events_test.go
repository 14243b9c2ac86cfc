package vm

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"mngr/internal/hostsetup"
	"mngr/internal/plain"
)

// metadata plays the metadata service of a machine: each list holds what is answered next,
// its last entry for ever.
type metadata struct {
	compute, events []string // a body, or a status code
	posts           chan string
}

func (m *metadata) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	list := &m.events
	switch {
	case r.Header.Get("Metadata") != "true":
		w.WriteHeader(http.StatusBadRequest)
		return
	case r.URL.Path == "/instance/compute":
		list = &m.compute
	case r.Method == http.MethodPost:
		body, _ := io.ReadAll(r.Body)
		m.posts <- string(body)
		return
	}
	next := (*list)[0]
	if len(*list) > 1 {
		*list = (*list)[1:]
	}
	switch next {
	case "400", "429", "500":
		w.WriteHeader(map[string]int{"400": 400, "429": 429, "500": 500}[next])
	default:
		_, _ = io.WriteString(w, next)
	}
}

const preempt = `{"DocumentIncarnation":2,"Events":[` +
	`{"EventId":"1","EventType":"Freeze","Resources":["vm1"],"EventStatus":"Scheduled"},` +
	`{"EventId":"2","EventType":"Preempt","Resources":["other"],"EventStatus":"Scheduled"},` +
	`{"EventId":"3","EventType":"Preempt","Resources":["VM1"],"EventStatus":"Scheduled","NotBefore":"Mon, 19 Sep 2022 18:29:47 GMT","DurationInSeconds":-1}]}`

// An eviction is noticed through every error, acknowledged once the container is down, and
// its reason is on the disk.
func TestEvictionIsAcknowledged(t *testing.T) {
	m := &metadata{
		compute: []string{"400", "429", "500", "no json", `{"name":"vm1","priority":"Spot"}`},
		events:  []string{"500", "429", `{"Events":[]}`, preempt},
		posts:   make(chan string, 10),
	}
	server := httptest.NewServer(m)
	defer server.Close()
	h := testHost(t)
	h.metadata = server.URL
	done := make(chan struct{})
	go func() { h.watchEvents(t.Context(), t.Output()); close(done) }()
	var request struct{ StartRequests []struct{ EventId string } }
	if err := json.Unmarshal([]byte(<-m.posts), &request); err != nil || len(request.StartRequests) != 1 || request.StartRequests[0].EventId != "3" {
		t.Errorf("acknowledged %+v, %v", request, err)
	}
	if !h.stopped() || h.stopCause() != hostsetup.CauseEvicted {
		t.Error("the container would be started again")
	}
	h.keepStopReason() // as the next boot does
	if got := h.lastStop(); got == nil || got.Cause != hostsetup.CauseEvicted || got.At.IsZero() {
		t.Errorf("the reason: %+v", got)
	}
	if err := h.start(); err != nil || h.stopped() {
		t.Errorf("started again: %v", err)
	}
}

// A machine that is not Spot asks no second question.
func TestNoEventsWithoutSpot(t *testing.T) {
	for _, priority := range []string{"", "Regular"} {
		m := &metadata{compute: []string{`{"name":"vm1","priority":"` + priority + `"}`}, events: []string{preempt}, posts: make(chan string, 1)}
		server := httptest.NewServer(m)
		h := &host{metadata: server.URL, run: t.TempDir(), state: t.TempDir()}
		h.watchEvents(t.Context(), io.Discard)
		server.Close()
		if len(m.posts) > 0 || h.stopped() {
			t.Errorf("priority %q is evicted", priority)
		}
	}
}

func TestGraceUntil(t *testing.T) {
	now := time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC)
	for notBefore, want := range map[string]time.Duration{
		"":                              28 * time.Second,
		"soon":                          28 * time.Second,
		"Sun, 22 Nov 2026 04:00:12 GMT": 10 * time.Second,
		"Sun, 22 Nov 2026 04:15:00 GMT": 28 * time.Second,
		"Sun, 22 Nov 2026 03:00:00 GMT": time.Second,
	} {
		if got := graceUntil(notBefore, now); got != want {
			t.Errorf("%q: %s, want %s", notBefore, got, want)
		}
	}
}

func FuzzScheduledEvents(f *testing.F) {
	f.Add([]byte(preempt), "vm1")
	f.Add([]byte(`{"Events":null}`), "")
	f.Add([]byte(`{"Events":[{"EventType":"preempt","Resources":[""]}]}`), "")
	f.Fuzz(func(t *testing.T, said []byte, machine string) {
		var answer struct{ Events []event }
		if json.Unmarshal(said, &answer) != nil {
			return
		}
		e, ok := preemption(answer.Events, machine)
		if !ok {
			return
		}
		if e.ID == "" || !slices.ContainsFunc(e.Resources, func(r string) bool { return strings.EqualFold(r, machine) }) {
			t.Errorf("%+v evicts %q", e, machine)
		}
		if grace := graceUntil(e.NotBefore, time.Now()); grace < leastGrace || grace > usualNotice {
			t.Errorf("grace %s", grace)
		}
	})
}

func FuzzComputeMetadata(f *testing.F) {
	f.Add(`{"name":"vm1","priority":"Spot","tagsList":[{"name":"a","value":"b"}]}`)
	f.Add(`[]`)
	f.Fuzz(func(t *testing.T, said string) {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, said) }))
		defer server.Close()
		h := &host{metadata: server.URL}
		var self compute
		err := h.ask(t.Context(), metadataLimit, http.MethodGet, "/instance/compute", "", &self)
		if err != nil && strings.ContainsAny(err.Error(), "\x1b\n") {
			t.Errorf("error %q", err)
		}
	})
}

// What the container wrote ends as one line without control characters.
func FuzzLastStop(f *testing.F) {
	f.Add("at=2026-11-22T00:00:00Z\ncause=idle\ndetail={\"reason\":\"idle\"}\n")
	f.Add("cause=\x1b[31m\ndetail=" + strings.Repeat("\u202e", 5000))
	f.Fuzz(func(t *testing.T, text string) {
		stop := parseLastStop(strings.NewReader(text))
		if stop == nil {
			return
		}
		if stop.Cause == "" || stop.Cause != plain.Line(stop.Cause, 80) || stop.Detail != plain.Line(stop.Detail, 1100) {
			t.Errorf("%+v", stop)
		}
	})
}

// A note that cannot be written stops nothing.
func TestEvictionWithoutDisk(t *testing.T) {
	m := &metadata{compute: []string{`{"name":"vm1","priority":"Spot"}`}, events: []string{preempt}, posts: make(chan string, 10)}
	server := httptest.NewServer(m)
	defer server.Close()
	h := testHost(t)
	h.metadata = server.URL
	if err := os.RemoveAll(h.state); err != nil {
		t.Fatal(err)
	}
	go h.watchEvents(t.Context(), t.Output())
	<-m.posts
}
