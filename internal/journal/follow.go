package journal

import (
	"bufio"
	"context"
	"os"
	"time"
)

// Tail is a place in a log that grows and is put aside.
type Tail struct {
	log   *Log
	file  *os.File // nil before there is one
	lines *lines
}

// Close gives the place up.
func (t *Tail) Close() {
	if t.file != nil {
		t.file.Close()
		t.file = nil
	}
}

// Follow hands out what is added to the log, line by line, until ctx ends: first that a
// request goes out, then what became of it. It looks every while.
func (t *Tail) Follow(ctx context.Context, while time.Duration, each func(Entry) error) error {
	defer t.Close()
	tick := time.NewTicker(while)
	defer tick.Stop()
	for {
		if err := t.advance(each); err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

func (t *Tail) take(f *os.File) {
	t.Close()
	t.file, t.lines = f, &lines{from: bufio.NewReader(f)}
}

// drain reads to the end of the file that there is. What a crash has cut short is passed
// over.
func (t *Tail) drain(each func(Entry) error) error {
	if t.file == nil {
		return nil
	}
	return t.lines.all(func(e Entry, err error) error {
		if err != nil {
			return nil //nolint:nilerr // see above
		}
		return each(e)
	})
}

// advance reads to the end, through the files that have been put aside meanwhile.
func (t *Tail) advance(each func(Entry) error) error {
	files, err := t.log.openAll()
	if err != nil {
		closeAll(files)
		return err
	}
	younger := files
	for n, f := range files {
		if t.file != nil && same(t.file, f) {
			younger = files[n+1:]
			closeAll(files[:n+1])
			break
		}
	}
	// Whoever is to be left has been put aside: nothing is added to it any more but by a
	// process that had it open.
	err = t.drain(each)
	for n, f := range younger {
		if err != nil {
			closeAll(younger[n:])
			return err
		}
		t.take(f)
		err = t.drain(each)
	}
	return err
}
