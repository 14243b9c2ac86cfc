package config

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"mngr/internal/agent"
	"mngr/internal/atomicfile"
)

// Set writes one key of the settings file at path, which is made if need be. The value
// is text: a string as it is, true or false, digits, or a JSON list; a list of one needs
// no brackets. Everything else in the file stays as it is. A file that would not be valid
// afterwards is left alone, and the error is a *Problem.
func Set(path, key, value string) error {
	key = normalize(key)
	segments := strings.Split(key, ".")
	scratch := defaults()
	f, ok := scratch.find(key, true)
	if !ok {
		return onCommandLine(key, unknown(&scratch, segments))
	}
	v, wrong := f.parse(value)
	if wrong != nil {
		return onCommandLine(key, *wrong)
	}
	if err := assign(&scratch, segments, v, Origin{}); err != nil {
		if p, ok := errors.AsType[*Problem](err); ok {
			return onCommandLine(key, p.fault)
		}
		return err
	}
	return rewrite(path, func(d *document) (splice, error) {
		return d.setKey(segments, literal(v))
	}, judged)
}

// Unset removes one key, or a whole table, from the settings file at path; comments stay.
// An absent key is agent.KindNotFound.
func Unset(path, key string) error {
	key = normalize(key)
	return rewrite(path, func(d *document) (splice, error) {
		s, ok, err := d.unsetKey(strings.Split(key, "."))
		if err == nil && !ok {
			err = agent.Errorf(agent.KindNotFound, "%s does not set %s", path, key).
				WithHint("mngr config list # shows where a value comes from")
		}
		return s, err
	}, parsed)
}

func onCommandLine(key string, f fault) error {
	return &agent.Error{Kind: agent.KindUsage, Cause: key + ": " + f.cause, Hint: f.hint}
}

// rewrite edits a file under a lock, checks the result and replaces the file in one step.
func rewrite(path string, edit func(*document) (splice, error), check func(*document) error) error {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make the settings directory: %w", err)
	}
	unlock, err := lock(dir)
	if err != nil {
		return err
	}
	defer unlock()
	before, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("read settings: %w", err)
	}
	after, err := edited(path, before, edit, check)
	if err != nil || bytes.Equal(before, after) {
		return err
	}
	return atomicfile.Write(path, after, 0o600)
}

// edited applies an edit and checks the result.
func edited(path string, data []byte, edit func(*document) (splice, error), check func(*document) error) ([]byte, error) {
	d, err := parseDocument(path, data)
	if err != nil {
		return nil, err
	}
	s, err := edit(d)
	if err != nil {
		return nil, err
	}
	after := s.apply(data)
	result, err := parseDocument(path, after)
	if err != nil {
		return nil, fmt.Errorf("the edit would break the file: %w", err)
	}
	return after, check(result)
}

// judged wants a file that is right as a whole, without the other layers.
func judged(d *document) error {
	scratch := defaults()
	return d.apply(&scratch, LayerUser, trail{})
}

// parsed is content with a file that can be read: what is wrong in it is removed one key
// at a time.
func parsed(*document) error { return nil }

// lock excludes other writers by the directory itself, so that no lock file is left in
// a project.
func lock(dir string) (unlock func(), err error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("lock settings: %w", err)
	}
	for {
		err = unix.Flock(int(f.Fd()), unix.LOCK_EX)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("lock settings: %w", err)
	}
	return func() { f.Close() }, nil
}
