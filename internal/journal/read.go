package journal

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// History is what a log says.
type History struct {
	Entries    []Entry // one a request, oldest first
	Unreadable int     // lines that are none, as a crash or a full disk leaves them
}

// Read returns the whole log; a log that does not exist is empty.
func (l *Log) Read() (History, error) {
	h, t, err := l.Open()
	if err == nil {
		t.Close()
	}
	return h, err
}

// Open returns the whole log and the place in it behind that, for Follow.
func (l *Log) Open() (History, *Tail, error) {
	files, err := l.openAll()
	if err != nil {
		closeAll(files)
		return History{}, nil, err
	}
	h, t := History{}, &Tail{log: l}
	at := map[string]int{}
	for n, f := range files {
		if n > 0 && t.lines.torn() {
			h.Unreadable++
		}
		t.take(f)
		err := t.lines.all(func(e Entry, err error) error {
			n, begun := at[e.ID]
			switch {
			case err != nil:
				h.Unreadable++
			case !begun:
				at[e.ID] = len(h.Entries)
				h.Entries = append(h.Entries, e)
			case h.Entries[n].State == Sent:
				h.Entries[n] = e
			}
			return nil
		})
		if err != nil {
			closeAll(files[n:])
			return h, nil, err
		}
	}
	if t.file != nil && t.lines.torn() {
		h.Unreadable++
	}
	return h, t, nil
}

// openAll opens the files that there are, oldest first. They are looked for from the
// youngest on, so that none is missed while they are put aside.
func (l *Log) openAll() ([]*os.File, error) {
	var files []*os.File
	for age := range l.Keep + 1 {
		f, err := os.Open(l.path(age))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return files, fmt.Errorf("read the log of writes: %w", err)
		}
		if len(files) > 0 && same(files[0], f) {
			f.Close()
			continue
		}
		files = append([]*os.File{f}, files...)
	}
	return files, nil
}

func closeAll(files []*os.File) {
	for _, f := range files {
		f.Close()
	}
}

func same(a, b *os.File) bool {
	one, err := a.Stat()
	other, err2 := b.Stat()
	return err == nil && err2 == nil && os.SameFile(one, other)
}

// lines reads entries from a file that may grow.
type lines struct {
	from *bufio.Reader
	part []byte // of a line whose end is not there yet; never longer than an entry
	long bool   // the line is longer than any of ours
}

// all hands out every whole line that there is now. What is no entry comes with an error;
// an empty line is none.
func (l *lines) all(each func(Entry, error) error) error {
	for {
		piece, err := l.from.ReadSlice('\n')
		if len(l.part)+len(piece) > maxLine {
			l.part, l.long = nil, true
		} else if !l.long {
			l.part = append(l.part, piece...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("read the log of writes: %w", err)
		}
		if err := l.one(each); err != nil {
			return err
		}
	}
}

func (l *lines) one(each func(Entry, error) error) error {
	line, long := bytes.TrimSpace(l.part), l.long
	l.part, l.long = l.part[:0], false
	if long {
		return each(Entry{}, errNoEntry)
	}
	if len(line) == 0 {
		return nil
	}
	return each(Parse(line))
}

// torn tells whether the file ends in the middle of a line.
func (l *lines) torn() bool { return l.long || len(bytes.TrimSpace(l.part)) > 0 }
