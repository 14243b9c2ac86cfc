package keep

import (
	"os"
	"path/filepath"
	"testing"
)

// A lock whose file was removed by its last holder is none: the next one makes a new file.
func TestLockIsOfTheFileThatIsThere(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.lock")
	opened, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	if !stillAt(path, opened) {
		t.Error("the file is there")
	}
	if err := os.Remove(path); err != nil || stillAt(path, opened) {
		t.Errorf("the file has gone: %v", err)
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil || stillAt(path, opened) {
		t.Errorf("another file is there: %v", err)
	}
}
