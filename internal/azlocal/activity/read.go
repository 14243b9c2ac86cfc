package activity

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"
)

// maxLine is the longest line that is read. Add writes much shorter ones.
const maxLine = 1 << 20

// Read returns the entries that keep wants, oldest first. A line cut short by a power cut
// is left out; a log that does not exist is empty.
func Read(path string, keep func(Entry) bool) ([]Entry, error) {
	out := []Entry{}
	files, err := openBoth(path)
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		defer f.Close()
		if err := newLines(f).each(func(e Entry) error {
			if keep(e) {
				out = append(out, e)
			}
			return nil
		}); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Requests is Read with the ends of operations in the requests that began them. The ends
// of those that no request began, such as a cascade's, stay by themselves.
func Requests(path string, keep func(Entry) bool) ([]Entry, error) {
	ends, asked := map[string]Entry{}, map[string]bool{}
	_, err := Read(path, func(e Entry) bool {
		switch {
		case e.ID != "" && e.Ended != "":
			ends[e.ID] = e
		case e.ID != "":
			asked[e.ID] = true
		}
		return false
	})
	if err != nil {
		return nil, err
	}
	out := []Entry{}
	_, err = Read(path, func(e Entry) bool {
		if e.ID != "" && e.Ended != "" && asked[e.ID] {
			return false
		}
		if end, ok := ends[e.ID]; ok && e.Ended == "" {
			e.Ended, e.EndedCode, e.EndedMS, e.Bytes = end.Ended, end.EndedCode, end.EndedMS, end.Bytes
			e.Fault = cmp.Or(e.Fault, end.Fault)
		}
		if keep(e) {
			out = append(out, e)
		}
		return false
	})
	return out, err
}

// openBoth opens the last full file and the present one. The present one is opened first:
// when it is put aside meanwhile, both names lead to it.
func openBoth(path string) ([]*os.File, error) {
	now, err := openAny(path)
	if err != nil {
		return nil, err
	}
	before, err := openAny(path + older)
	if err != nil {
		if now != nil {
			now.Close()
		}
		return nil, err
	}
	var out []*os.File
	if before != nil && now != nil && same(before, now) {
		before.Close()
		before = nil
	}
	if before != nil {
		out = append(out, before)
	}
	if now != nil {
		out = append(out, now)
	}
	return out, nil
}

func openAny(path string) (*os.File, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the activity log: %w", err)
	}
	return f, nil
}

func same(a, b *os.File) bool {
	one, err := a.Stat()
	other, err2 := b.Stat()
	return err == nil && err2 == nil && os.SameFile(one, other)
}

// lines takes the entries of a log apart.
type lines struct {
	from *bufio.Reader
	part []byte // a line that is not whole yet
	long bool   // it is longer than maxLine, and nothing of it is kept
}

func newLines(f io.Reader) *lines { return &lines{from: bufio.NewReader(f)} }

// each hands out the entries up to the end, where it can go on when more has come. Lines
// that are no entry, or too long for one, are left out.
func (l *lines) each(do func(Entry) error) error {
	for {
		piece, err := l.from.ReadSlice('\n')
		if l.long = l.long || len(l.part)+len(piece) > maxLine; l.long {
			l.part = nil
		} else {
			l.part = append(l.part, piece...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("read the activity log: %w", err)
		}
		var e Entry
		if !l.long && json.Unmarshal(l.part, &e) == nil {
			if err := do(e); err != nil {
				return err
			}
		}
		l.part, l.long = l.part[:0], false
	}
}

// Follow hands out what is in the log and what is added to it until ctx ends. It looks
// every while; a log that does not exist yet is waited for.
func Follow(ctx context.Context, path string, while time.Duration, each func(Entry) error) error {
	old, err := openAny(path + older)
	if err != nil {
		return err
	}
	t := &tail{path: path, each: each}
	defer t.close()
	if old != nil {
		t.file, t.lines = old, newLines(old)
		if err := t.drain(); err != nil {
			return err
		}
	}
	tick := time.NewTicker(while)
	defer tick.Stop()
	for {
		if err := t.advance(); err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// tail is a place in a log that grows and is put aside.
type tail struct {
	path  string
	each  func(Entry) error
	file  *os.File
	lines *lines
}

// advance reads to the end, and goes over to a new file when there is one.
func (t *tail) advance() error {
	if err := t.drain(); err != nil {
		return err
	}
	next, err := openAny(t.path)
	if err != nil || next == nil {
		return err
	}
	if t.file != nil && same(t.file, next) {
		return next.Close()
	}
	if err := t.drain(); err != nil { // what came until it was put aside
		next.Close()
		return err
	}
	t.close()
	t.file, t.lines = next, newLines(next)
	return t.drain()
}

func (t *tail) drain() error {
	if t.file == nil {
		return nil
	}
	return t.lines.each(t.each)
}

func (t *tail) close() {
	if t.file != nil {
		t.file.Close()
	}
}
