// Package store keeps the documents of the local Azure across kill -9.
//
// It is one append-only file of checksummed lines, each a transaction. Only
// internal/azlocal/fabric imports it.
package store

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"strconv"
)

// Write is one change: the value of a key, or its removal when Value is nil.
type Write struct {
	Key   string          `json:"k"`
	Value json.RawMessage `json:"v,omitempty"`
}

// ErrDamaged says that the file is broken before its end, which no crash of ours causes.
var ErrDamaged = errors.New("the store is damaged")

// slack is how many bytes of superseded lines are tolerated before a rewrite.
const slack = 8 << 20

// Store is an open log. It is not safe for concurrent use: the fabric's lock guards it.
type Store struct {
	path   string
	file   *os.File
	size   int64 // bytes of complete lines
	live   map[string]json.RawMessage
	liveSz int64
}

// Open reads the log at path and makes it when absent. A torn last line, the trace of a
// crash in the middle of a write that nobody was told about, is cut off.
func Open(path string) (*Store, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the store: %w", err)
	}
	s := &Store{path: path, file: f, live: map[string]json.RawMessage{}}
	if err := s.load(); err != nil {
		f.Close()
		return nil, err
	}
	return s, nil
}

// All returns the values by key. The caller must not change the map.
func (s *Store) All() map[string]json.RawMessage { return s.live }

// Commit appends one transaction. When it returns nil the writes survive the death of
// this process: they are in the kernel's page cache. There is no fsync for each, since
// machines of a computer that lost power are gone as well; a rewrite is synced, so that
// a power cut costs the last seconds and never the file.
func (s *Store) Commit(writes []Write) error {
	if len(writes) == 0 {
		return nil
	}
	line, err := encode(writes)
	if err != nil {
		return err
	}
	if _, err := s.file.Write(line); err != nil {
		if cut := s.file.Truncate(s.size); cut != nil {
			err = errors.Join(err, cut)
		}
		return fmt.Errorf("write to the store: %w", err)
	}
	s.size += int64(len(line))
	s.apply(writes)
	if s.size > 2*s.liveSz+slack {
		return s.rewrite()
	}
	return nil
}

// Close ends the use of the store.
func (s *Store) Close() error { return s.file.Close() }

func (s *Store) apply(writes []Write) {
	for _, w := range writes {
		s.liveSz -= int64(len(s.live[w.Key]))
		if w.Value == nil {
			delete(s.live, w.Key)
			continue
		}
		s.live[w.Key] = w.Value
		s.liveSz += int64(len(w.Value))
	}
}

func (s *Store) load() error {
	r := bufio.NewReaderSize(s.file, 1<<16)
	for {
		line, err := r.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return s.file.Truncate(s.size)
		}
		if err != nil {
			return fmt.Errorf("read the store: %w", err)
		}
		writes, err := decode(line)
		if err != nil {
			if _, more := r.Peek(1); errors.Is(more, io.EOF) {
				return s.file.Truncate(s.size)
			}
			return fmt.Errorf("%w: %s at byte %d: %w", ErrDamaged, s.path, s.size, err)
		}
		s.apply(writes)
		s.size += int64(len(line))
	}
}

// rewrite replaces the log by one that holds only what is live.
func (s *Store) rewrite() error {
	tmp, err := os.OpenFile(s.path+".new", os.O_RDWR|os.O_CREATE|os.O_TRUNC|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("rewrite the store: %w", err)
	}
	size, err := s.dump(tmp)
	if err == nil {
		err = os.Rename(tmp.Name(), s.path)
	}
	if err != nil {
		tmp.Close()
		return fmt.Errorf("rewrite the store: %w", err)
	}
	if dir, err := os.Open(filepath.Dir(s.path)); err == nil {
		_ = dir.Sync() // the rename is atomic without it; the sync only hastens it to disk
		dir.Close()
	}
	s.file.Close()
	s.file, s.size = tmp, size
	return nil
}

func (s *Store) dump(f *os.File) (size int64, err error) {
	w := bufio.NewWriterSize(f, 1<<16)
	for k, v := range s.live {
		line, err := encode([]Write{{Key: k, Value: v}})
		if err != nil {
			return 0, err
		}
		size += int64(len(line))
		if _, err := w.Write(line); err != nil {
			return 0, err
		}
	}
	if err := w.Flush(); err != nil {
		return 0, err
	}
	return size, f.Sync()
}

func encode(writes []Write) ([]byte, error) {
	data, err := json.Marshal(writes)
	if err != nil {
		return nil, fmt.Errorf("encode a transaction: %w", err)
	}
	return fmt.Appendf(nil, "%08x %s\n", crc32.ChecksumIEEE(data), data), nil
}

func decode(line []byte) ([]Write, error) {
	sum, data, ok := bytes.Cut(bytes.TrimSuffix(line, []byte("\n")), []byte(" "))
	if !ok {
		return nil, errors.New("no checksum")
	}
	want, err := strconv.ParseUint(string(sum), 16, 32)
	if err != nil || uint32(want) != crc32.ChecksumIEEE(data) {
		return nil, errors.New("wrong checksum")
	}
	var writes []Write
	if err := json.Unmarshal(data, &writes); err != nil {
		return nil, err
	}
	return writes, nil
}
