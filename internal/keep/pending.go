package keep

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"mngr/internal/agent"
	"mngr/internal/atomicfile"
)

// Pending keeps unfinished creates in files, one a host, since they hold the agent's
// environment: mode 0600.
type Pending struct{ Dir string }

// lockSuffix ends the name of the file that is locked.
const lockSuffix = ".lock"

func (p Pending) path(id agent.HostID) string {
	return filepath.Join(p.Dir, strings.ReplaceAll(string(id), "/", "_")+".json")
}

// Save replaces what is known of a host.
func (p Pending) Save(id agent.HostID, data []byte) error {
	if err := os.MkdirAll(p.Dir, 0o700); err != nil {
		return err
	}
	return atomicfile.Write(p.path(id), data, 0o600)
}

// Lock holds while the process lives, however it ends.
func (p Pending) Lock(id agent.HostID) (unlock func(), taken bool, err error) {
	if err := os.MkdirAll(p.Dir, 0o700); err != nil {
		return nil, false, err
	}
	path := p.path(id) + lockSuffix
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, false, err
	}
	err = unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) || err == nil && !stillAt(path, file) {
		return func() {}, false, file.Close()
	}
	if err != nil {
		_ = file.Close()
		return nil, false, err
	}
	return func() {
		_ = os.Remove(path)
		_ = file.Close()
	}, true, nil
}

// Held tells whether a process holds the lock of a host. It changes nothing.
func (p Pending) Held(id agent.HostID) (bool, error) {
	file, err := os.Open(p.path(id) + lockSuffix)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer file.Close()
	err = unix.Flock(int(file.Fd()), unix.LOCK_SH|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return true, nil
	}
	return false, err
}

// Tidy removes the files of locks that nobody holds: killed processes leave them.
func (p Pending) Tidy() error {
	left, err := filepath.Glob(filepath.Join(p.Dir, "*"+lockSuffix))
	if err != nil {
		return err
	}
	for _, path := range left {
		id, err := agent.ParseHostID(strings.TrimSuffix(filepath.Base(path), ".json"+lockSuffix))
		if err != nil {
			continue
		}
		unlock, _, err := p.Lock(id)
		if err != nil {
			return err
		}
		unlock()
	}
	return nil
}

// stillAt tells whether a file has its name still. Who held the lock before may have
// removed it, and the next one would lock another file.
func stillAt(path string, file *os.File) bool {
	opened, err := file.Stat()
	if err != nil {
		return false
	}
	now, err := os.Stat(path)
	return err == nil && os.SameFile(opened, now)
}

// Load returns what Save was given; fs.ErrNotExist when there is nothing.
func (p Pending) Load(id agent.HostID) ([]byte, error) { return os.ReadFile(p.path(id)) }

// Saved returns when Save was called; fs.ErrNotExist when there is nothing.
func (p Pending) Saved(id agent.HostID) (time.Time, error) {
	info, err := os.Stat(p.path(id))
	if err != nil {
		return time.Time{}, err
	}
	return info.ModTime(), nil
}

// Known lists the hosts of which something is kept: also those of which a process that was
// killed has left no more than a file that was not written to its end. A lock is nothing.
func (p Pending) Known() ([]agent.HostID, error) {
	entries, err := os.ReadDir(p.Dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var ids []agent.HostID
	for _, e := range entries {
		name, _, kept := strings.Cut(strings.TrimPrefix(e.Name(), "."), ".json")
		kept = kept && !strings.HasSuffix(e.Name(), lockSuffix)
		if id, err := agent.ParseHostID(name); kept && err == nil && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

// Remove forgets a host; absent is fine.
func (p Pending) Remove(id agent.HostID) error {
	// A killed process leaves its lock's file, and what atomicfile had not renamed yet.
	half, err := filepath.Glob(filepath.Join(p.Dir, "."+filepath.Base(p.path(id))+".*"))
	if err != nil {
		return err
	}
	for _, path := range append(half, p.path(id), p.path(id)+lockSuffix) {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}
