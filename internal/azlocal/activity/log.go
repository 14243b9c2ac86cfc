package activity

import (
	"encoding/json"
	"fmt"
	"os"
	"sync"
	"unicode/utf8"
)

// FileName of the log in the state directory.
const FileName = "activity.jsonl"

// older ends the name of the last full file.
const older = ".1"

// Limit is how many bytes a file of the log holds. The one before it is kept too, so that
// a daemon that runs for weeks fills at most twice as much.
const Limit = 32 << 20

// Log appends entries. It is safe for concurrent use.
type Log struct {
	path  string
	limit int64

	mu   sync.Mutex
	file *os.File
	size int64
}

// Open opens the log at path for appending; a file of limit bytes gives way to a new one.
func Open(path string, limit int64) (*Log, error) {
	l := &Log{path: path, limit: limit}
	return l, l.open()
}

func (l *Log) open() error {
	f, err := os.OpenFile(l.path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("open the activity log: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return fmt.Errorf("open the activity log: %w", err)
	}
	l.file, l.size = f, info.Size()
	return nil
}

// maxField is how many bytes of a request's own words are logged: requests are logged
// before anybody knows who sends them, and must not push the history out of the log.
const maxField = 2 << 10

// clip cuts a text to limit bytes, between two letters.
func clip(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	for limit > 0 && !utf8.RuneStart(text[limit]) {
		limit--
	}
	return text[:limit]
}

// Add writes one entry. A line is written whole, by one call; what a request says is cut
// to 2 KiB each.
func (l *Log) Add(e Entry) error {
	e.Operation, e.Path, e.Resource = clip(e.Operation, maxField), clip(e.Path, maxField), clip(e.Resource, maxField)
	line, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("encode an activity: %w", err)
	}
	line = append(line, '\n')
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.size > 0 && l.size+int64(len(line)) > l.limit {
		if err := l.turn(); err != nil {
			return err
		}
	}
	n, err := l.file.Write(line)
	l.size += int64(n)
	if err != nil {
		return fmt.Errorf("write the activity log: %w", err)
	}
	return nil
}

// turn puts the full file aside, in place of the one before it.
func (l *Log) turn() error {
	full := l.file
	if err := os.Rename(l.path, l.path+older); err != nil {
		return fmt.Errorf("put the full activity log aside: %w", err)
	}
	if err := l.open(); err != nil {
		return err // the full file goes on being written
	}
	return full.Close()
}

// Close closes the file.
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.file.Close()
}
