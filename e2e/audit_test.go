package e2e

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// asked is a write as the local Azure's activity log has it.
type asked struct {
	Method, Operation, Resource string
	Status                      int
	Request                     string `json:"request_id"`
	Client                      string `json:"client_request_id"`
}

// noted is a write as `mngr events --format json` has it.
type noted struct {
	ID        string    `json:"client_request_id"`
	Time      time.Time `json:"time"`
	State     string    `json:"state"`
	Method    string    `json:"method"`
	Operation string    `json:"operation"`
	Resource  string    `json:"resource_id"`
	Request   string    `json:"request_id"`
	Status    int       `json:"status"`
}

// audited [LEAST] compares the writes that the local Azure was asked for, LEAST or more, with
// those that `mngr events` shows: the same ones under the same ids, whatever became of them.
// Only what was never answered may be missing at the local Azure.
func audited(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: audited LEAST")
	}
	var least int
	ts.Check(json.Unmarshal([]byte(args[0]), &least))
	ts.Check(ts.Exec("mngr", "events", "--format", "json"))
	var ours struct{ Events []noted }
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &ours))
	theirs := map[string]asked{}
	for line := range strings.Lines(ts.ReadFile(filepath.Join(ts.Getenv("MNGR_AZLOCAL_DIR"), "activity.jsonl"))) {
		var e asked
		ts.Check(json.Unmarshal([]byte(line), &e))
		if !isWrite(e.Method, e.Operation) {
			continue
		}
		if e.Client == "" {
			ts.Fatalf("%s %s has no id of the client's", e.Operation, e.Resource)
		}
		theirs[e.Client] = e
	}
	if len(theirs) < least {
		ts.Fatalf("Azure was asked for %d writes, want %d", len(theirs), least)
	}
	for _, o := range ours.Events {
		e, met := theirs[o.ID]
		delete(theirs, o.ID)
		switch {
		case !met && o.State != "answered":
		case !met:
			ts.Fatalf("%s %s was answered, and Azure knows nothing of it", o.Operation, o.Resource)
		case o.Method != e.Method || !strings.EqualFold(lastWords(o.Operation), lastWords(e.Operation)) || !strings.EqualFold(o.Resource, e.Resource):
			ts.Fatalf("noted %s %s, asked for %s %s", o.Operation, o.Resource, e.Operation, e.Resource)
		case o.Request != "" && o.Request != e.Request:
			ts.Fatalf("%s: request id %s, at Azure %s", o.Operation, o.Request, e.Request)
		case o.State == "answered" && o.Status != e.Status:
			ts.Fatalf("%s: noted status %d, answered %d", o.Operation, o.Status, e.Status)
		}
	}
	for _, e := range theirs {
		ts.Fatalf("%s %s is not in the log of events", e.Operation, e.Resource)
	}
}

// lastWords is an operation without its namespace, of which two are known for the
// registration of a resource provider.
func lastWords(operation string) string {
	words := strings.Split(operation, "/")
	return strings.Join(words[max(0, len(words)-2):], "/")
}
