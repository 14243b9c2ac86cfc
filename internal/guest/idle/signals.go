package idle

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"mngr/internal/atomicfile"
)

// Signals is the directory that the container shares with the virtual machine: a small
// tmpfs. Agents are root in the container and may plant anything there, so that nothing that
// lies there is opened, and a name counts only while it is a regular file.
type Signals struct {
	Dir   string
	Idle  string // name of the sentinel
	Alive string // name of the file that says that the watcher works
}

func (s Signals) path(name string) string { return filepath.Join(s.Dir, name) }

// has tells whether name is a file; a link to one is not.
func (s Signals) has(name string) bool {
	info, err := os.Lstat(s.path(name))
	return err == nil && info.Mode().IsRegular()
}

// write makes a new file in one step. Where something is in the way, or the directory is
// full, all else there goes: it is nobody else's.
func (s Signals) write(name string, data []byte) error {
	err := s.replace(name, data)
	if err == nil {
		return nil
	}
	if err := s.sweep(); err != nil {
		return fmt.Errorf("make room in %s: %w", s.Dir, err)
	}
	if err = s.replace(name, data); err != nil {
		return fmt.Errorf("signal %s: %w", name, err)
	}
	return nil
}

// replace never opens what stands there: a planted pipe would block for ever.
func (s Signals) replace(name string, data []byte) error {
	return atomicfile.Write(s.path(name), data, 0o600)
}

// sweep removes all but our own two files.
func (s Signals) sweep() error {
	entries, err := os.ReadDir(s.Dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if (e.Name() == s.Idle || e.Name() == s.Alive) && e.Type().IsRegular() {
			continue
		}
		err = errors.Join(err, os.RemoveAll(s.path(e.Name())))
	}
	return err
}

// remove takes a signal back, whatever bears its name. Absent is fine.
func (s Signals) remove(name string) error {
	if err := os.RemoveAll(s.path(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
