package journal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func appendAll(t *testing.T, l *Log, entries ...Entry) {
	t.Helper()
	for _, e := range entries {
		if err := l.Append(e); err != nil {
			t.Fatal(err)
		}
	}
}

func read(t *testing.T, l *Log) History {
	t.Helper()
	h, err := l.Read()
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func answer(e Entry, status int) Entry {
	e.State, e.Status = Answered, status
	return e
}

// Two lines make an entry, and one without an answer stays what it was.
func TestIntentAndAnswer(t *testing.T) {
	l := In(filepath.Join(t.TempDir(), "a", "events"))
	if h := read(t, l); len(h.Entries) != 0 || h.Unreadable != 0 {
		t.Fatalf("a log that nobody has begun: %+v", h)
	}
	appendAll(t, l, sample("1"), sample("2"), answer(sample("2"), 201), sample("3"), answer(sample("1"), 409))
	h := read(t, l)
	var got []string
	for _, e := range h.Entries {
		got = append(got, fmt.Sprint(e.ID, e.State, e.Status, e.Failed()))
	}
	want := []string{"1answered409 true", "2answered201 false", "3sent0 true"}
	if !slices.Equal(got, want) || h.Unreadable != 0 {
		t.Errorf("got %v, want %v", got, want)
	}
}

// Only the owner may read it, whatever the umask, and whatever the mode was.
func TestModes(t *testing.T) {
	for _, umask := range []int{0, 0o277} {
		func() {
			dir := filepath.Join(t.TempDir(), "events")
			defer syscall.Umask(syscall.Umask(umask))
			l := In(dir)
			appendAll(t, l, sample("1"))
			if err := os.Chmod(l.path(0), 0o644); err != nil {
				t.Fatal(err)
			}
			appendAll(t, l, sample("2"))
			for path, want := range map[string]os.FileMode{dir: os.ModeDir | 0o700, l.path(0): 0o600} {
				if info, err := os.Stat(path); err != nil || info.Mode() != want {
					t.Errorf("umask %#o: %s has mode %v, want %v (%v)", umask, filepath.Base(path), info.Mode(), want, err)
				}
			}
		}()
	}
}

// A line that a crash has cut short is counted; the next one is whole.
func TestTornLine(t *testing.T) {
	l := In(t.TempDir())
	appendAll(t, l, sample("1"))
	f, err := os.OpenFile(l.path(0), os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(`{"client_request_id":"2","ti`); err != nil || f.Close() != nil {
		t.Fatal(err)
	}
	if h := read(t, l); len(h.Entries) != 1 || h.Unreadable != 1 {
		t.Errorf("torn at the end: %+v", h)
	}
	appendAll(t, l, sample("3"))
	h := read(t, l)
	if len(h.Entries) != 2 || h.Entries[1].ID != "3" || h.Unreadable != 1 {
		t.Errorf("torn in the middle: %+v", h)
	}
}

// What lies in the place of the log is neither followed nor waited for.
func TestPlanted(t *testing.T) {
	for name, plant := range map[string]func(path, elsewhere string) error{
		"link":      func(path, elsewhere string) error { return os.Symlink(elsewhere, path) },
		"pipe":      func(path, _ string) error { return syscall.Mkfifo(path, 0o600) },
		"directory": func(path, _ string) error { return os.Mkdir(path, 0o700) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			l, elsewhere := In(filepath.Join(dir, "events")), filepath.Join(dir, "elsewhere")
			if err := errors.Join(os.Mkdir(l.Dir, 0o700), os.WriteFile(elsewhere, nil, 0o600), plant(l.path(0), elsewhere)); err != nil {
				t.Fatal(err)
			}
			if err := l.Append(sample("1")); err == nil {
				t.Error("written")
			}
			if content, _ := os.ReadFile(elsewhere); len(content) > 0 {
				t.Errorf("followed: %q", content)
			}
		})
	}
}

// Writers that share nothing but the file put it aside side by side, and no line is lost,
// doubled or torn.
func TestSideBySide(t *testing.T) {
	const writers, each = 8, 100
	dir := t.TempDir()
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			l := &Log{Dir: dir, Size: 20 << 10, Keep: 60}
			for n := range each {
				if err := l.Append(sample(fmt.Sprintf("%d-%d", w, n))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	l := &Log{Dir: dir, Size: 20 << 10, Keep: 60}
	h := read(t, l)
	seen := map[string]bool{}
	for _, e := range h.Entries {
		seen[e.ID] = true
	}
	if len(h.Entries) != writers*each || len(seen) != writers*each || h.Unreadable != 0 {
		t.Errorf("%d entries, %d different, %d unreadable; want %d", len(h.Entries), len(seen), h.Unreadable, writers*each)
	}
	if files, _ := os.ReadDir(dir); len(files) < 5 {
		t.Errorf("%d files: nothing was put aside", len(files))
	}
}

// A line that went into a file which was removed meanwhile is written again.
func TestFileThatIsRemovedMeanwhile(t *testing.T) {
	dir := t.TempDir()
	var all sync.WaitGroup
	l := &Log{Dir: dir, Size: 600, Keep: 1} // a line a file: all are put aside at once
	for w := range 4 {
		all.Go(func() {
			for n := range 50 {
				if err := l.Append(sample(fmt.Sprintf("%d-%d", w, n))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if h := read(t, l); len(h.Entries) == 0 || h.Unreadable != 0 {
		t.Errorf("%+v", h)
	}
	if files, _ := os.ReadDir(dir); len(files) != 2 {
		t.Errorf("%d files, want two", len(files))
	}
}

// Follow shows each line once, in order, through files that are put aside.
func TestFollow(t *testing.T) {
	l := &Log{Dir: t.TempDir(), Size: 2 << 10, Keep: 20}
	appendAll(t, l, sample("before"))
	h, tail, err := l.Open()
	if err != nil || len(h.Entries) != 1 {
		t.Fatalf("%+v, %v", h, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var got []string
	ended := make(chan error, 1)
	go func() {
		ended <- tail.Follow(ctx, time.Millisecond, func(e Entry) error {
			if got = append(got, e.ID); len(got) == 30 {
				cancel()
			}
			return nil
		})
	}()
	var want []string
	for n := range 30 {
		want = append(want, fmt.Sprint(n))
		appendAll(t, l, sample(fmt.Sprint(n)))
	}
	if err := <-ended; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v", got, err)
	}
}
