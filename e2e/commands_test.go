package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// commands are what scripts have beyond testscript's own.
func commands() map[string]func(*testscript.TestScript, bool, []string) {
	return map[string]func(*testscript.TestScript, bool, []string){
		"code":     code,
		"json":     jsonValue,
		"eventual": eventual,
		"capture":  capture,
		"writes":   writes,
		"answers":  answers,
		"arm":      armRequest,
		"audited":  audited,
		"census":   takeCensus,
		"asbefore": asBefore,
		"program":  program,
		"clean":    clean,
		"request":  request,
		"private":  private,
		"holds":    holds,
		"secretof": secretOf,
	}
}

// code N COMMAND ARGS... wants an exit code.
func code(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: code N COMMAND ARGS...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	err = ts.Exec(args[1], args[2:]...)
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		got = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// json FILE PATH VALUE compares what stands at a dotted path; a number is an index, and
// "len" counts. FILE may be stdout.
func jsonValue(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: json FILE PATH VALUE")
	}
	var v any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &v))
	got := at(v, strings.Split(args[1], "."))
	if (got == args[2]) == neg {
		ts.Fatalf("%s is %s, want %s", args[1], got, args[2])
	}
}

func at(v any, path []string) string {
	for _, p := range path {
		switch x := v.(type) {
		case map[string]any:
			v = x[p]
		case []any:
			n, err := strconv.Atoi(p)
			switch {
			case p == "len":
				v = len(x)
			case err == nil && n < len(x):
				v = x[n]
			default:
				return "(absent)"
			}
		default:
			return "(absent)"
		}
	}
	if s, ok := v.(string); ok {
		return s
	}
	text, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// eventual SECONDS COMMAND ARGS... repeats a command until it succeeds.
func eventual(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: eventual SECONDS COMMAND ARGS...")
	}
	seconds, err := strconv.Atoi(args[0])
	ts.Check(err)
	deadline := time.Now().Add(time.Duration(seconds) * time.Second)
	for {
		err := ts.Exec(args[1], args[2:]...)
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("not within %d s: %v", seconds, err)
		}
		time.Sleep(300 * time.Millisecond)
	}
}

// writes [code N] COMMAND ARGS... wants the command to succeed, or to end with N, and to
// write something at Azure; with ! in front, to write nothing there.
func writes(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 1 {
		ts.Fatalf("usage: writes COMMAND ARGS...")
	}
	before := writeRequests(ts)
	if args[0] == "code" {
		code(ts, false, args[1:])
	} else {
		ts.Check(ts.Exec(args[0], args[1:]...))
	}
	switch made := writeRequests(ts)[len(before):]; {
	case neg && len(made) > 0:
		ts.Fatalf("wrote %q", made)
	case !neg && len(made) == 0:
		ts.Fatalf("wrote nothing")
	}
}

// writeRequests are the operations in the activity log that change something; a login
// does not. The file is read, since `mngr azure local log` would replace the output that
// the script's next lines look at.
func writeRequests(ts *testscript.TestScript) []string {
	var all []string
	for line := range strings.Lines(ts.ReadFile(filepath.Join(ts.Getenv("MNGR_AZLOCAL_DIR"), "activity.jsonl"))) {
		var entry struct{ Method, Operation, Resource string }
		ts.Check(json.Unmarshal([]byte(line), &entry))
		if isWrite(entry.Method, entry.Operation) {
			all = append(all, entry.Operation+" "+entry.Resource)
		}
	}
	return all
}

// isWrite tells the requests that change something: the ends of operations, and what the
// platform did, were not asked for, and a token is asked for with POST.
func isWrite(method, operation string) bool {
	switch method {
	case "", http.MethodGet, http.MethodHead:
		return false
	}
	return !strings.HasPrefix(operation, "entra:")
}

// answers NAME TEXT starts a web server that answers every request with a line of text,
// and puts its address into the environment.
func answers(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: answers NAME TEXT")
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, args[1]) }))
	ts.Defer(server.Close)
	ts.Setenv(args[0], server.URL)
}

// capture NAME COMMAND ARGS... puts the command's output into the environment.
func capture(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: capture NAME COMMAND ARGS...")
	}
	ts.Check(ts.Exec(args[1], args[2:]...))
	ts.Setenv(args[0], strings.TrimSpace(fmt.Sprint(ts.ReadFile("stdout"))))
}
