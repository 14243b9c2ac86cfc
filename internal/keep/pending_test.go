package keep

import (
	"os"
	"path/filepath"
	"testing"

	"mngr/internal/agent"
)

// Asking who holds a lock leaves it where it is; tidying takes those that nobody holds, and
// neither makes anything.
func TestLocksThatAreLeft(t *testing.T) {
	p := Pending{Dir: filepath.Join(t.TempDir(), "pending")}
	held, free := agent.NewHostID(), agent.NewHostID()
	if is, err := p.Held(free); is || err != nil || p.Tidy() != nil {
		t.Errorf("without a directory: %v, %v", is, err)
	}
	if _, err := os.Stat(p.Dir); err == nil {
		t.Error("the directory was made")
	}
	unlock, taken, err := p.Lock(held)
	if err != nil || !taken {
		t.Fatal(taken, err)
	}
	if err := os.WriteFile(p.path(free)+lockSuffix, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		for id, want := range map[agent.HostID]bool{held: true, free: false} {
			if is, err := p.Held(id); is != want || err != nil {
				t.Errorf("held %v, want %v: %v", is, want, err)
			}
		}
		if _, err := os.Stat(p.path(free) + lockSuffix); err != nil {
			t.Errorf("the question has removed the lock: %v", err)
		}
	}
	if ids, err := p.Known(); err != nil || len(ids) != 0 {
		t.Errorf("locks alone are taken for requests: %v, %v", ids, err)
	}
	if err := p.Tidy(); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(p.Dir)
	if err != nil || len(entries) != 1 || entries[0].Name() != string(held)+".json"+lockSuffix {
		t.Errorf("after tidying: %v, %v", entries, err)
	}
	unlock()
	if is, err := p.Held(held); is || err != nil {
		t.Errorf("after it was released: %v, %v", is, err)
	}
}

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
