package activity

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"
)

// FileName of the log in the state directory.
const FileName = "activity.jsonl"

// Entry is one line of the log.
type Entry struct {
	Time        time.Time `json:"time"`
	Principal   string    `json:"principal,omitempty"` // object id
	Operation   string    `json:"operation"`           // the action asked for, or method and path
	Resource    string    `json:"resource,omitempty"`
	Method      string    `json:"method,omitempty"` // "" for what the platform did by itself
	Status      int       `json:"status"`           // 0: the connection was cut
	Code        string    `json:"code,omitempty"`   // of an error
	Fault       string    `json:"fault,omitempty"`  // id of the fault that was hit
	Millis      float64   `json:"ms"`
	Correlation string    `json:"correlationId,omitempty"`
}

// Write tells whether the entry is a request to ARM that wants to change something.
// Whether it was allowed to is in Status.
func (e Entry) Write() bool {
	switch e.Method {
	case http.MethodPut, http.MethodPatch, http.MethodPost, http.MethodDelete:
		return !strings.HasPrefix(e.Operation, "entra:") && !strings.HasPrefix(e.Operation, "imds:") && !strings.HasPrefix(e.Operation, "graph:")
	}
	return false
}

// Log appends entries. It is safe for concurrent use.
type Log struct {
	mu   sync.Mutex
	file *os.File
}

// Open opens the log at path for appending.
func Open(path string) (*Log, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the activity log: %w", err)
	}
	return &Log{file: f}, nil
}

// Add writes one entry. A line is written whole, by one call.
func (l *Log) Add(e Entry) error {
	line, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("encode an activity: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, err := l.file.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("write the activity log: %w", err)
	}
	return nil
}

// Close closes the file.
func (l *Log) Close() error { return l.file.Close() }

// Read returns the entries that keep wants, oldest first. A line cut short by a power cut
// is left out; a log that does not exist is empty.
func Read(path string, keep func(Entry) bool) ([]Entry, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return []Entry{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the activity log: %w", err)
	}
	defer f.Close()
	out := []Entry{}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var e Entry
		if json.Unmarshal(lines.Bytes(), &e) == nil && keep(e) {
			out = append(out, e)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read the activity log: %w", err)
	}
	return out, nil
}
