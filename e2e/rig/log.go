package rig

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Entry is a line of a local Azure's activity log: a request, or the end of an operation,
// which has no Method.
type Entry struct {
	Time      time.Time `json:"time"`
	Operation string    `json:"operation"`
	Resource  string    `json:"resource"`
	Method    string    `json:"method"`
	Path      string    `json:"path"`
	Status    int       `json:"status"`
	Code      string    `json:"code"`
	Fault     string    `json:"fault"`
	ID        string    `json:"operation_id"` // of the operation that a request began
	Ended     string    `json:"ended"`
	Bytes     int64     `json:"bytes"` // that passed by a connection
}

// Connection tells whether an entry is a connection to a machine (tcp:22), or its end.
func (e Entry) Connection() bool { return strings.HasPrefix(e.Operation, "tcp:") }

// ARM tells whether an entry is a request to ARM.
func (e Entry) ARM() bool {
	return e.Method != "" && !strings.HasPrefix(e.Operation, "entra:") && !strings.HasPrefix(e.Operation, "imds:") && !strings.HasPrefix(e.Operation, "graph:")
}

// Write tells whether an entry is a request to ARM that wants to change something.
func (e Entry) Write() bool {
	return e.ARM() && e.Method != http.MethodGet && e.Method != http.MethodHead
}

// Mark is a place in the activity log.
type Mark int64

// Mark is the log's present end.
func (a *Azure) Mark() (Mark, error) {
	info, err := os.Stat(a.log())
	if os.IsNotExist(err) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("look at the activity log: %w", err)
	}
	return Mark(info.Size()), nil
}

// Log returns the entries after a mark. The daemon writes an entry before it answers, so
// that a command that has ended left all of its own.
func (a *Azure) Log(after Mark) ([]Entry, error) {
	f, err := os.Open(a.log())
	if err != nil {
		return nil, fmt.Errorf("read the activity log: %w", err)
	}
	defer f.Close()
	if _, err := f.Seek(int64(after), io.SeekStart); err != nil {
		return nil, fmt.Errorf("read the activity log: %w", err)
	}
	data, err := io.ReadAll(f)
	if err != nil {
		return nil, fmt.Errorf("read the activity log: %w", err)
	}
	var all []Entry
	for line := range bytes.Lines(data) {
		if !bytes.HasSuffix(line, []byte("\n")) {
			break // under way
		}
		var e Entry
		if err := json.Unmarshal(line, &e); err != nil {
			return nil, fmt.Errorf("read the activity log: %w", err)
		}
		all = append(all, e)
	}
	return all, nil
}

func (a *Azure) log() string { return filepath.Join(a.Dir, "activity.jsonl") }
