package cli

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"mngr/internal/agent"
	"mngr/internal/config"
	"mngr/internal/output"
)

func TestCheckOwnAddress(t *testing.T) {
	for answer, c := range map[string]struct {
		local bool
		kind  agent.Kind // "" when it is taken
	}{
		"203.0.113.4":              {},
		"127.0.0.5":                {kind: agent.KindRefused},
		"127.0.0.6":                {local: true},
		"10.0.0.4":                 {kind: agent.KindRefused},
		"192.168.1.2":              {local: true, kind: agent.KindRefused},
		"169.254.169.254":          {kind: agent.KindRefused},
		"0.0.0.0":                  {kind: agent.KindRefused},
		"2001:db8::1":              {kind: agent.KindRefused},
		"::ffff:203.0.113.4":       {kind: agent.KindRefused},
		"203.0.113.4/0":            {kind: agent.KindUnreachable},
		"":                         {kind: agent.KindUnreachable},
		"<html>log in here</html>": {kind: agent.KindUnreachable},
		"203.0.113.4\x1b[2J":       {kind: agent.KindUnreachable},
	} {
		got, err := checkOwnAddress(answer, c.local)
		if (err == nil) != (c.kind == "") || err != nil && agent.KindOf(err) != c.kind || err == nil && got.String() != answer {
			t.Errorf("%q: got %v, %v; want %q", answer, got, err, c.kind)
		}
	}
}

func TestWithOwnAddress(t *testing.T) {
	asked := 0
	var shown bytes.Buffer
	answer := func(w http.ResponseWriter, r *http.Request) {
		asked++
		switch r.URL.Path {
		case "/plain":
			_, _ = w.Write([]byte("203.0.113.4\n"))
		case "/endless":
			for r.Context().Err() == nil {
				if _, err := w.Write([]byte(strings.Repeat("1", 4096))); err != nil {
					return
				}
			}
		case "/dumb":
			<-r.Context().Done()
		default:
			http.Error(w, "203.0.113.9", http.StatusTeapot)
		}
	}
	server := httptest.NewServer(http.HandlerFunc(answer))
	t.Cleanup(server.Close)
	ask := func(ctx context.Context, path string, sources ...string) ([]string, error) {
		return newApp(output.Streams{Out: &shown, Err: &shown}).withOwnAddress(ctx, sources, config.Provider{Name: "azure", Cloud: "public", MyAddressURL: server.URL + path})
	}
	if got, err := ask(t.Context(), "/plain", "10.0.0.0/8", "203.0.113.0/24"); err != nil || asked != 0 || len(got) != 2 {
		t.Errorf("nobody wanted to know: %v, %v, asked %d times", got, err, asked)
	}
	got, err := ask(t.Context(), "/plain", "me", "10.0.0.0/8")
	if err != nil || !slices.Equal(got, []string{"203.0.113.4/32", "10.0.0.0/8"}) || asked != 1 ||
		!strings.Contains(shown.String(), "your public address is 203.0.113.4, says "+server.URL) {
		t.Errorf("got %v, %v, asked %d times", got, err, asked)
	}
	for _, path := range []string{"/endless", "/broken"} {
		if got, err := ask(t.Context(), path, "me"); agent.KindOf(err) != agent.KindUnreachable || !strings.Contains(agent.HintOf(err), "--allowed-ssh-cidr ADDRESS/32") {
			t.Errorf("%s: %v, %v (%s)", path, got, err, agent.HintOf(err))
		}
	}
	late, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := ask(late, "/dumb", "me"); agent.KindOf(err) != agent.KindTimeout {
		t.Errorf("no answer: %v", err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := ask(gone, "/dumb", "me"); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
}
