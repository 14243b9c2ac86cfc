package fault

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// FileName of the rules in the state directory.
const FileName = "faults.json"

// kept is what a book's file holds.
type kept struct {
	Next  int     `json:"next"`
	Rules []*Rule `json:"rules"`
}

// Keep takes over the rules in the file at path, with their counts, and keeps them there
// from now on: they survive the end of the process.
func (b *Book) Keep(path string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	data, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("read the faults: %w", err)
	}
	var k kept
	if err == nil {
		if err := json.Unmarshal(data, &k); err != nil {
			return fmt.Errorf("read %s: %w", path, err)
		}
	}
	b.path, b.rules, b.next = path, k.Rules, k.Next
	for _, r := range b.rules {
		b.ends[r.ID] = make(chan struct{})
	}
	return nil
}

// save writes the file whole. The lock is held.
func (b *Book) save() error {
	if b.path == "" {
		return nil
	}
	data, err := json.Marshal(kept{b.next, b.rules})
	if err == nil {
		err = os.WriteFile(b.path+".new", data, 0o600)
	}
	if err == nil {
		err = os.Rename(b.path+".new", b.path)
	}
	if err != nil {
		return fmt.Errorf("keep the faults: %w", err)
	}
	return nil
}
