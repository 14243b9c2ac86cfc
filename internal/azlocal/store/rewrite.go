package store

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// live is a key with the place of its value.
type live struct {
	key string
	at  place
}

// rewrite replaces the log by one that holds only what is live. Commits go on meanwhile:
// what they wrote is copied at the end, while they wait.
func (s *Store) rewrite() {
	err := s.rewriteTo(s.path + ".new")
	s.mu.Lock()
	defer s.mu.Unlock()
	s.busy, s.next = false, s.size+slack // after a failure too: not at every commit
	if err != nil && !errors.Is(err, os.ErrClosed) && s.Trouble != nil {
		s.Trouble(fmt.Errorf("rewrite the store: %w", err))
	}
}

func (s *Store) rewriteTo(path string) error {
	tmp, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_TRUNC|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	c := copier{to: tmp, w: bufio.NewWriterSize(tmp, 1<<20), moved: map[string]place{}}
	if err := s.copyTo(&c); err != nil {
		tmp.Close()
		return errors.Join(err, os.Remove(path))
	}
	return nil
}

func (s *Store) copyTo(c *copier) error {
	s.mu.Lock()
	c.from = s.file // nobody else replaces it
	all, until := s.since(0), s.size
	s.mu.Unlock()
	if err := c.copy(all); err != nil {
		return err
	}
	if err := c.sync(); err != nil {
		return err
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return os.ErrClosed
	}
	if err := s.copyRest(c, all, until); err != nil {
		return err
	}
	if err := os.Rename(c.to.Name(), s.path); err != nil {
		return err
	}
	if dir, err := os.Open(filepath.Dir(s.path)); err == nil {
		_ = dir.Sync() // the rename is atomic without it; the sync only hastens it to disk
		dir.Close()
	}
	s.file.Close()
	s.file, s.size, s.at, s.torn = c.to, c.size, c.moved, false
	return nil
}

// copyRest copies what was committed after the first pass, removals too.
func (s *Store) copyRest(c *copier, before []live, until int64) error {
	if err := c.copy(s.since(until)); err != nil {
		return err
	}
	for _, l := range before {
		if _, ok := s.at[l.key]; !ok {
			if err := c.write(Write{Key: l.key}); err != nil {
				return err
			}
		}
	}
	return c.w.Flush()
}

// since returns what is live and stands at off or behind it, in the order of the file.
func (s *Store) since(off int64) []live {
	var out []live
	for key, p := range s.at {
		if p.off >= off {
			out = append(out, live{key, p})
		}
	}
	slices.SortFunc(out, func(a, b live) int { return cmp.Compare(a.at.off, b.at.off) })
	return out
}

// copier writes a new log from values of the old one.
type copier struct {
	from, to *os.File
	w        *bufio.Writer
	size     int64
	moved    map[string]place
	value    []byte
}

func (c *copier) copy(all []live) error {
	for _, l := range all {
		c.value = slices.Grow(c.value[:0], int(l.at.n))[:l.at.n]
		if _, err := c.from.ReadAt(c.value, l.at.off); err != nil {
			return err
		}
		if err := c.write(Write{Key: l.key, Value: c.value}); err != nil {
			return err
		}
	}
	return nil
}

func (c *copier) write(w Write) error {
	line, places := encode([]Write{w})
	if _, err := c.w.Write(line); err != nil {
		return err
	}
	if w.Value == nil {
		delete(c.moved, w.Key)
	} else {
		c.moved[w.Key] = place{c.size + places[0].off, places[0].n}
	}
	c.size += int64(len(line))
	return nil
}

func (c *copier) sync() error {
	if err := c.w.Flush(); err != nil {
		return err
	}
	return c.to.Sync()
}
