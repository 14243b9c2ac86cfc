package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// FileName of the log in its directory.
const FileName = "azure.jsonl"

// The usual sizes: 32 MiB in all, which is some twenty thousand writes.
const (
	usualSize = 8 << 20
	usualKeep = 3
)

// Log is a file of entries, and the full ones before it: azure.jsonl.1 is the youngest of
// them. Processes append to it side by side, each a whole line at a time. It is safe for
// concurrent use; nothing is opened before it is needed.
type Log struct {
	Dir  string // made with mode 0700 when first needed
	Size int64  // bytes after which a file is full
	Keep int    // how many full ones stay, at least one
}

// In returns the log in dir.
func In(dir string) *Log { return &Log{Dir: dir, Size: usualSize, Keep: usualKeep} }

func (l *Log) path(age int) string {
	path := filepath.Join(l.Dir, FileName)
	if age == 0 {
		return path
	}
	return path + "." + strconv.Itoa(age)
}

// Append adds one entry. It never waits for another process.
func (l *Log) Append(e Entry) error {
	line, err := e.Line()
	if err != nil {
		return err
	}
	for {
		gone, err := l.add(line)
		if err != nil {
			return fmt.Errorf("append to %s: %w", l.path(0), err)
		}
		if !gone {
			return nil
		}
	}
}

// add writes a line. gone says that the file was put aside and removed meanwhile, and the
// line with it.
func (l *Log) add(line []byte) (gone bool, err error) {
	f, err := l.openLast()
	if err != nil {
		return false, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return false, err
	}
	if info.Size() > 0 && info.Size()+int64(len(line)) > l.Size && l.turn(int64(len(line))) {
		return true, nil // into the new file
	}
	// A full disk or a power cut may have torn the line before this one.
	if end := make([]byte, 1); info.Size() > 0 {
		if _, err := f.ReadAt(end, info.Size()-1); err == nil && end[0] != '\n' {
			line = append([]byte{'\n'}, line...)
		}
	}
	if _, err := f.Write(line); err != nil {
		return false, err
	}
	if info, err = f.Stat(); err != nil {
		return false, err
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && st.Nlink == 0, nil
}

// openLast opens the file that is written to. It follows no link and opens no pipe, and
// nobody else may read what it makes, whatever the umask.
func (l *Log) openLast() (*os.File, error) {
	const flags = os.O_RDWR | os.O_CREATE | os.O_APPEND | unix.O_NOFOLLOW | unix.O_NONBLOCK
	f, err := os.OpenFile(l.path(0), flags, 0o600)
	if errors.Is(err, fs.ErrNotExist) {
		if err = l.makeDir(); err == nil {
			f, err = os.OpenFile(l.path(0), flags, 0o600)
		}
	}
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("it is no regular file")
	}
	if err == nil && info.Mode().Perm() != 0o600 {
		err = f.Chmod(0o600)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func (l *Log) makeDir() error {
	if err := os.MkdirAll(filepath.Dir(l.Dir), 0o700); err != nil {
		return err
	}
	if err := os.Mkdir(l.Dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return os.Chmod(l.Dir, 0o700) //nolint:gosec // a directory
}

// turn puts a full file aside. Only one process does at a time, and nobody waits for it:
// the others go on with the file they have, and lose nothing, since what is put aside is
// kept. It tells whether there is a new file.
func (l *Log) turn(room int64) bool {
	dir, err := os.Open(l.Dir)
	if err != nil {
		return false
	}
	defer dir.Close()
	if unix.Flock(int(dir.Fd()), unix.LOCK_EX|unix.LOCK_NB) != nil {
		return false
	}
	info, err := os.Lstat(l.path(0))
	if err != nil || info.Size()+room <= l.Size {
		return err == nil // somebody else has just done it
	}
	for age := l.Keep; age > 0; age-- {
		if err := os.Rename(l.path(age-1), l.path(age)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return false
		}
	}
	return true
}
