package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

func open(t *testing.T, path string) *Store {
	t.Helper()
	s, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func put(t *testing.T, s *Store, key, value string) {
	t.Helper()
	w := Write{Key: key}
	if value != "" {
		w.Value = json.RawMessage(value)
	}
	if err := s.Commit([]Write{w}); err != nil {
		t.Fatal(err)
	}
}

// TestTornTail cuts the log at every byte, as a kill in the middle of a write would, and
// wants every transaction before the cut and nothing of the one that is torn.
func TestTornTail(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	s := open(t, path)
	var ends []int64
	for i := range 3 {
		put(t, s, fmt.Sprint("k", i), fmt.Sprintf(`{"n":%d}`, i))
		ends = append(ends, s.size)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for cut := range len(whole) + 1 {
		if err := os.WriteFile(path, whole[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		want := 0
		for _, end := range ends {
			if int64(cut) >= end {
				want++
			}
		}
		again := open(t, path)
		if got := len(again.All()); got != want {
			t.Fatalf("cut at %d: %d keys, want %d", cut, got, want)
		}
		put(t, again, "after", `1`)
		if got := open(t, path); string(got.All()["after"]) != "1" || len(got.All()) != want+1 {
			t.Fatalf("cut at %d: a write after it was lost: %v", cut, got.All())
		}
	}
}

func TestDamageBeforeTheEnd(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	s := open(t, path)
	put(t, s, "a", `"one"`)
	put(t, s, "b", `"two"`)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	data[15] ^= 1
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path); !errors.Is(err, ErrDamaged) {
		t.Fatalf("got %v, want ErrDamaged", err)
	}
}

func TestRewrite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	s := open(t, path)
	put(t, s, "stays", `"here"`)
	big := `"` + string(make([]byte, 0)) + fmt.Sprintf("%01000000d", 7) + `"`
	for range 12 {
		put(t, s, "big", big)
	}
	put(t, s, "big", "")
	put(t, s, "last", `1`)
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Size() > slack {
		t.Fatalf("the log was not rewritten: %d bytes", info.Size())
	}
	got := open(t, path).All()
	if string(got["stays"]) != `"here"` || string(got["last"]) != "1" || got["big"] != nil {
		t.Fatalf("after the rewrite: %d keys", len(got))
	}
}
