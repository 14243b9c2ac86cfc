package idle

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// Whatever agents plant in the shared directory, and under whatever names, the signals are
// written as ours and taken back, without waiting for anybody and without touching anything
// outside.
func FuzzSignals(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 4, 5}, "idle", "x")
	f.Add([]byte{2, 2, 2}, ".idle.1234", "forged")
	f.Add([]byte{5, 5, 1}, "alive", "\x1b[2J")
	f.Fuzz(func(t *testing.T, kinds []byte, name, content string) {
		root := t.TempDir()
		outside := filepath.Join(root, "outside")
		s := Signals{Dir: filepath.Join(root, "signals"), Idle: "idle", Alive: "alive"}
		if err := errors.Join(os.Mkdir(s.Dir, 0o700), os.WriteFile(outside, []byte("theirs"), 0o600)); err != nil {
			t.Fatal(err)
		}
		if name == "" || len(name) > 200 || strings.ContainsAny(name, "/\x00") || name == "." || name == ".." {
			name = "other"
		}
		for i, kind := range kinds[:min(len(kinds), 6)] {
			at := s.path([]string{s.Idle, s.Alive, name}[i%3])
			switch kind % 6 { // what is in the way already stays
			case 1:
				if file, err := os.OpenFile(at, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600); err == nil { // a FIFO would wait for a reader
					_, _ = file.WriteString(content)
					file.Close()
				}
			case 2:
				_ = os.Symlink(outside, at)
			case 3:
				_ = syscall.Mkfifo(at, 0o600)
			case 4:
				_ = os.MkdirAll(filepath.Join(at, "a", "b"), 0o700)
			case 5:
				_ = os.Symlink(s.Dir, at)
			}
		}
		for _, signal := range []string{s.Idle, s.Alive} {
			if err := s.write(signal, []byte("ours")); err != nil {
				t.Fatal(err)
			}
			if got, err := os.ReadFile(s.path(signal)); err != nil || string(got) != "ours" || !s.has(signal) {
				t.Errorf("%s holds %q, %v", signal, got, err)
			}
		}
		if err := s.sweep(); err != nil {
			t.Fatal(err)
		}
		if left, err := os.ReadDir(s.Dir); err != nil || len(left) != 2 {
			t.Errorf("left: %v, %v", left, err)
		}
		if err := s.remove(s.Idle); err != nil || s.has(s.Idle) {
			t.Errorf("the sentinel stays: %v", err)
		}
		if got, err := os.ReadFile(outside); err != nil || !bytes.Equal(got, []byte("theirs")) {
			t.Errorf("outside: %q, %v", got, err)
		}
	})
}
