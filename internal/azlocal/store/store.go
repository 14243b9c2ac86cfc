// Package store keeps the documents of the local Azure across kill -9.
//
// It is one append-only file of checksummed lines, each a transaction. Values stay in the
// file: memory holds where each of them is. Only internal/azlocal/fabric imports it.
package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"os"
	"sync"
)

// Write is one change: the value of a key, or its removal when Value is nil. A value is
// JSON without white space, as json.Marshal makes it.
type Write struct {
	Key   string
	Value json.RawMessage
}

// ErrDamaged says that the file is broken before its end, which no crash of ours causes.
var ErrDamaged = errors.New("the store is damaged")

// slack is how many bytes of superseded lines are tolerated before a rewrite.
const slack = 8 << 20

// Store is an open log. It is safe for concurrent use.
type Store struct {
	// Trouble hears of rewrites that failed; what was committed is safe. nil: nobody.
	Trouble func(error)

	path      string
	rewriting sync.WaitGroup

	mu     sync.Mutex
	file   *os.File
	size   int64 // bytes of complete lines
	torn   bool  // a part of a line may follow them
	at     map[string]place
	liveSz int64
	busy   bool  // a rewrite is under way
	next   int64 // size from which on a rewrite is due
	closed bool
}

// place is where a value is in the file.
type place struct {
	off int64
	n   int32
}

// Open reads the log at path and makes it when absent. A torn last line, the trace of a
// crash in the middle of a write that nobody was told about, is cut off.
func Open(path string) (*Store, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the store: %w", err)
	}
	s := &Store{path: path, file: f, at: map[string]place{}, next: slack}
	if err := s.load(); err != nil {
		f.Close()
		return nil, err
	}
	return s, nil
}

// Keys yields every key that has a value, in no order. The store must not be written to
// meanwhile.
func (s *Store) Keys() iter.Seq[string] { return maps.Keys(s.at) }

// Size is how many bytes the value of a key has, 0 when there is none.
func (s *Store) Size(key string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return int(s.at[key].n)
}

// Get reads the value of a key, nil when there is none.
func (s *Store) Get(key string) (json.RawMessage, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, ok := s.at[key]
	if !ok {
		return nil, nil
	}
	value := make([]byte, p.n)
	if _, err := s.file.ReadAt(value, p.off); err != nil {
		return nil, fmt.Errorf("read %s from the store: %w", key, err)
	}
	return value, nil
}

// Commit appends one transaction. When it returns nil the writes survive the death of
// this process: they are in the kernel's page cache. There is no fsync for each, since
// machines of a computer that lost power are gone as well; a rewrite is synced, so that
// a power cut costs the last seconds and never the file. When it returns an error, as it
// does on a full disk, nothing of the transaction is stored.
func (s *Store) Commit(writes []Write) error {
	if len(writes) == 0 {
		return nil
	}
	line, places := encode(writes)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.mend(); err != nil {
		return err
	}
	if _, err := s.file.Write(line); err != nil {
		s.torn = true
		return fmt.Errorf("write to the store: %w", errors.Join(err, s.mend()))
	}
	for i, w := range writes {
		places[i].off += s.size
		s.apply(w.Key, places[i], w.Value != nil)
	}
	s.size += int64(len(line))
	if s.size > s.next && s.size > 2*s.liveSz+slack && !s.busy {
		s.busy = true
		s.rewriting.Go(s.rewrite)
	}
	return nil
}

// Close waits for a rewrite and ends the use of the store.
func (s *Store) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.rewriting.Wait()
	return s.file.Close()
}

// mend cuts off what a write left that failed half-way, before anything follows it.
func (s *Store) mend() error {
	if !s.torn {
		return nil
	}
	if err := s.file.Truncate(s.size); err != nil {
		return fmt.Errorf("cut off a write that failed: %w", err)
	}
	s.torn = false
	return nil
}

func (s *Store) apply(key string, p place, present bool) {
	s.liveSz -= int64(s.at[key].n)
	if !present {
		delete(s.at, key)
		return
	}
	s.at[key] = p
	s.liveSz += int64(p.n)
}
