package e2e

import (
	"crypto/tls"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/rogpeppe/go-internal/testscript"
)

// program FILE PACKAGE builds a command of the module, for this machine and any container
// on it.
func program(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: program FILE PACKAGE")
	}
	root, err := filepath.Abs("..")
	ts.Check(err)
	build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", ts.MkAbs(args[0]), args[1])
	build.Dir = root
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		ts.Fatalf("build %s: %v\n%s", args[1], err, out)
	}
}

// clean COMMAND ARGS... runs a command, however it ends, and wants nothing in what it says
// that a terminal would obey; with ! in front, it wants something.
func clean(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 1 {
		ts.Fatalf("usage: clean COMMAND ARGS...")
	}
	err := ts.Exec(args[0], args[1:]...)
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
		ts.Fatalf("%v", err)
	}
	for _, stream := range []string{"stdout", "stderr"} {
		said := ts.ReadFile(stream)
		if at := strings.IndexFunc(said, obeyed); at >= 0 {
			if neg {
				return
			}
			ts.Fatalf("%s has %q at %d: %q", stream, said[at:at+1], at, said)
		}
	}
	if neg {
		ts.Fatalf("clean: the test shows nothing")
	}
}

// obeyed tells what a terminal acts on instead of showing it: written anew here, so that a
// gap in mngr's own list shows.
func obeyed(r rune) bool {
	switch r {
	case '\n':
		return false
	case utf8.RuneError: // also what is no UTF-8
		return true
	}
	return r < ' ' || r >= 0x7f && r <= 0x9f || unicode.Is(unicode.Bidi_Control, r) || unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r)
}

// request PATH asks the local Azure for something without a login, as any program on this
// computer can.
func request(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: request PATH")
	}
	raw, err := os.ReadFile(filepath.Join(ts.Getenv("MNGR_AZLOCAL_DIR"), "client.json"))
	ts.Check(err)
	var local struct{ Endpoint string }
	ts.Check(json.Unmarshal(raw, &local))
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}} // nothing secret is sent
	defer transport.CloseIdleConnections()
	answer, err := (&http.Client{Transport: transport, Timeout: 30 * time.Second}).Get(local.Endpoint + args[0])
	ts.Check(err)
	defer answer.Body.Close()
	if answer.StatusCode < http.StatusBadRequest {
		ts.Fatalf("status %s", answer.Status)
	}
}
