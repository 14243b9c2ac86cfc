package agents

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"mngr/internal/atomicfile"
	"mngr/internal/ctl"
)

const (
	recordVersion = 1
	recordFile    = "data.json"
	maxRecord     = 1 << 20 // bytes
)

// record is what data.json holds: the agent as it was asked for, and its last run.
type record struct {
	Version   int           `json:"version"`
	Spec      ctl.AgentSpec `json:"spec"` // with the environment, hence mode 0600
	CreatedAt time.Time     `json:"created_at"`

	// Wanted says that the agent shall run: set by start, cleared by stop only, so that it
	// outlives the container. With EndedAt set, the agent has ended by itself meanwhile.
	Wanted    bool       `json:"wanted"`
	Starts    int        `json:"starts"`
	StartedAt *time.Time `json:"started_at,omitempty"`
	EndedAt   *time.Time `json:"ended_at,omitempty"`
	ExitCode  *int       `json:"exit_code,omitempty"`
}

// running says what the record knows: started, not stopped, not seen to end.
func (r *record) running() bool { return r.Wanted && r.EndedAt == nil }

// save replaces the record in dir such that a crash leaves the old or the new one. On a
// full disk it writes into the blocks that the old one has: an agent that filled the disk
// can still be stopped.
func (r *record) save(dir string) error {
	data, err := json.MarshalIndent(r, "", "  ")
	if err == nil {
		err = atomicfile.Write(filepath.Join(dir, recordFile), data, 0o600)
	}
	if errors.Is(err, unix.ENOSPC) {
		err = overwrite(filepath.Join(dir, recordFile), data)
	}
	if err != nil {
		return fmt.Errorf("write agent record: %w", err)
	}
	return nil
}

func overwrite(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(data, 0)
	if err == nil {
		err = f.Truncate(int64(len(data)))
	}
	return errors.Join(err, f.Sync(), f.Close())
}

// loadRecord reads the record in dir and checks it like a request.
func loadRecord(dir string) (*record, error) {
	data, err := readSmall(filepath.Join(dir, recordFile), maxRecord)
	if err != nil {
		return nil, fmt.Errorf("read agent record: %w", err)
	}
	var r record
	if err := json.Unmarshal(data, &r); err != nil {
		return nil, fmt.Errorf("read agent record %s: %w", dir, err)
	}
	if r.Version != recordVersion {
		return nil, fmt.Errorf("read agent record %s: version %d is not known", dir, r.Version)
	}
	if err := checkSpec(&r.Spec); err != nil {
		return nil, fmt.Errorf("read agent record %s: %w", dir, err)
	}
	return &r, nil
}

// readSmall reads a regular file that an agent may have put there: no link is followed,
// no FIFO waited for.
func readSmall(path string, limit int64) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0) //nolint:gosec // what may be there is what this function is about
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > limit {
		return nil, &fs.PathError{Op: "read", Path: path, Err: errors.New("no regular file, or too large")}
	}
	return io.ReadAll(io.LimitReader(f, limit))
}
