package atomicfile

import (
	"os"
	"path/filepath"
	"testing"
)

func TestWrite(t *testing.T) {
	dir := t.TempDir()
	target, path := filepath.Join(dir, "target"), filepath.Join(dir, "file")
	if err := os.WriteFile(target, []byte("theirs"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, path); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"one", "two"} {
		if err := Write(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(path)
		if info, _ := os.Lstat(path); err != nil || string(got) != text || info.Mode() != 0o600 {
			t.Errorf("%q, mode %v, %v", got, info.Mode(), err)
		}
	}
	if theirs, _ := os.ReadFile(target); string(theirs) != "theirs" {
		t.Errorf("a planted link was followed: %q", theirs)
	}
	if left, _ := os.ReadDir(dir); len(left) != 2 {
		t.Errorf("left beside it: %v", left)
	}
}

// What cannot take the place of its target leaves nothing behind.
func TestWriteFails(t *testing.T) {
	dir := t.TempDir()
	full := filepath.Join(dir, "full")
	if err := os.MkdirAll(filepath.Join(full, "x"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{full, filepath.Join(dir, "absent", "file")} {
		if err := Write(path, nil, 0o600); err == nil {
			t.Errorf("%s was written", path)
		}
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
}
