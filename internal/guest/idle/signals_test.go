package idle

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Whatever agents plant in the shared directory, the watcher neither hangs nor believes it.
func TestPlantedSignals(t *testing.T) {
	tests := map[string]func(path string) error{
		"nothing":       func(string) error { return nil },
		"dangling link": func(path string) error { return os.Symlink("/nowhere", path) },
		"link to a file": func(path string) error {
			return os.Symlink("/etc/hostname", path)
		},
		"pipe": func(path string) error { return syscall.Mkfifo(path, 0o600) },
		"full directory": func(path string) error {
			return os.MkdirAll(filepath.Join(path, "a", "b"), 0o700)
		},
	}
	for name, plant := range tests {
		t.Run(name, func(t *testing.T) {
			watch(t, func(w *Watcher, _ *world) {
				for _, signal := range []string{w.Signals.Idle, w.Signals.Alive, ".idle.new"} {
					if err := plant(w.Signals.path(signal)); err != nil {
						t.Fatal(err)
					}
				}
				pass(watchEvery)
				if !w.Signals.has(w.Signals.Alive) {
					t.Error("the watcher does not report")
				}
				pass(10 * time.Minute)
				if !w.Signals.has(w.Signals.Idle) {
					t.Error("the idle host does not say so")
				}
				if hostname, err := os.ReadFile("/etc/hostname"); err == nil && len(hostname) == 0 {
					t.Error("it wrote through a link")
				}
			})
		})
	}
}

// A full directory is emptied: it is as small as the one that containers get.
func TestFullSignals(t *testing.T) {
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=64k,nr_inodes=64"); err != nil {
		t.Fatalf("this test mounts a tmpfs, as root: %v", err)
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	s := Signals{Dir: dir, Idle: "idle", Alive: "alive"}
	if err := s.write(s.Idle, []byte("kept")); err != nil {
		t.Fatal(err)
	}
	for fill, plant := range map[string]func(n int) error{
		"files": func(n int) error { return os.WriteFile(filepath.Join(dir, fmt.Sprint(n)), nil, 0o600) },
		"bytes": func(n int) error { return os.WriteFile(filepath.Join(dir, fmt.Sprint(n)), make([]byte, 4096), 0o600) },
	} {
		for n := 0; plant(n) == nil; n++ {
		}
		if err := s.write(s.Alive, []byte("x")); err != nil {
			t.Errorf("%s: %v", fill, err)
		}
		if got, _ := os.ReadFile(s.path(s.Idle)); string(got) != "kept" {
			t.Errorf("%s: the sentinel is %q", fill, got)
		}
	}
}

// The machine hears of a watcher that can tell, and of no other.
func TestAliveMeansKnown(t *testing.T) {
	watch(t, func(w *Watcher, seen *world) {
		pass(watchEvery)
		before := written(t, w)
		pass(watchEvery)
		after := written(t, w)
		if os.SameFile(before, after) {
			t.Error("it reports once only")
		}
		seen.set(fmt.Errorf("tmux hangs"))
		pass(10 * watchEvery)
		if !os.SameFile(after, written(t, w)) {
			t.Error("it reports although it cannot tell")
		}
	})
}

func written(t *testing.T, w *Watcher) os.FileInfo {
	t.Helper()
	info, err := os.Lstat(w.Signals.path(w.Signals.Alive))
	if err != nil {
		t.Fatal(err)
	}
	return info
}
