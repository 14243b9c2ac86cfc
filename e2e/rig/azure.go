package rig

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// Limits of what a local Azure itself is asked to do.
const (
	upLimit      = 10 * time.Minute // the docker driver makes its image on the spot, once
	controlLimit = 30 * time.Second
)

// Options say what a local Azure is like.
type Options struct {
	Driver  string   // default none
	Profile string   // default instant
	Unknown []string // answers of switches, NAME=ANSWER
}

// Azure is one local Azure, in a directory of its own.
type Azure struct {
	Dir    string // its state directory
	Binary string

	base    string // holds Dir and the operators' homes
	control *http.Client
	end     func() error
}

// Start brings up a local Azure for a test; the end of the test removes it with all it has.
func Start(t testing.TB, o Options) *Azure {
	t.Helper()
	// Sockets want a short path, which t.TempDir does not give.
	base, err := os.MkdirTemp("", "rig")
	if err != nil {
		t.Fatal(err)
	}
	a := &Azure{Dir: filepath.Join(base, "azlocal"), Binary: Binary(t), base: base}
	a.control = &http.Client{Timeout: controlLimit, Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", filepath.Join(a.Dir, "control.sock"))
		},
	}}
	a.end = sync.OnceValue(func() error {
		a.control.CloseIdleConnections()
		// The test's own context may have ended by now.
		ctx, cancel := context.WithTimeout(context.Background(), upLimit)
		defer cancel()
		defer os.RemoveAll(base)
		return a.Local(ctx, "reset", "--force")
	})
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	args := []string{"up", "--driver", or(o.Driver, "none"), "--profile", or(o.Profile, "instant")}
	for _, answer := range o.Unknown {
		args = append(args, "--unknown", answer)
	}
	ctx, cancel := context.WithTimeout(t.Context(), upLimit)
	defer cancel()
	if err := a.up(ctx, args); err != nil {
		t.Fatal(err)
	}
	return a
}

// up tries again where another instance of this computer happens to have the same
// addresses, which are drawn by lot.
func (a *Azure) up(ctx context.Context, args []string) error {
	const draws = 5
	for n := 1; ; n++ {
		err := a.Local(ctx, args...)
		if err == nil || n == draws || !strings.Contains(err.Error(), "addresses of this one") {
			return err
		}
		if err := a.Local(ctx, "reset", "--force"); err != nil {
			return err
		}
	}
}

// Close ends the local Azure, with all it has, before the test does.
func (a *Azure) Close() error { return a.end() }

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

// Local runs `mngr azure local ARGS` on this local Azure.
func (a *Azure) Local(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, a.Binary, append([]string{"azure", "local"}, args...)...)
	cmd.Env = a.environment(a.base, a.Dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("mngr azure local %v: %w\n%s", args, err, out)
	}
	return nil
}

// Control sends a request to the control socket and decodes its answer into out, unless
// nil; docs/azlocal.md lists them.
func (a *Azure) Control(ctx context.Context, method, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://azlocal"+path, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	resp, err := a.control.Do(req)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", resp.Status, bytes.TrimSpace(answer))
	}
	if err == nil && out != nil {
		err = json.Unmarshal(answer, out)
	}
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	return nil
}

// Set changes settings; "" brings back a default. They end with the daemon.
func (a *Azure) Set(ctx context.Context, settings map[string]string) error {
	return a.Control(ctx, http.MethodPost, "/settings", settings, nil)
}
