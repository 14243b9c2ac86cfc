package store

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

type tester interface {
	Helper()
	Fatal(...any)
	Fatalf(string, ...any)
	Cleanup(func())
}

func open(t tester, path string) *Store {
	t.Helper()
	s, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func put(t tester, s *Store, key, value string) {
	t.Helper()
	w := Write{Key: key}
	if value != "" {
		w.Value = json.RawMessage(value)
	}
	if err := s.Commit([]Write{w}); err != nil {
		t.Fatal(err)
	}
}

// contents reads everything that a store has.
func contents(t tester, s *Store) map[string]string {
	t.Helper()
	out := map[string]string{}
	for key := range s.Keys() {
		value, err := s.Get(key)
		if err != nil || len(value) != s.Size(key) {
			t.Fatalf("%q: %d bytes, want %d; %v", key, len(value), s.Size(key), err)
		}
		out[key] = string(value)
	}
	return out
}

func same(t tester, what string, got, want map[string]string) {
	t.Helper()
	if !maps.Equal(got, want) {
		t.Fatalf("%s: %d keys, want %d:\n%v\n%v", what, len(got), len(want), got, want)
	}
}

// transactions draws writes of keys and values that are as awkward as JSON allows.
func transactions(t *rapid.T) [][]Write {
	key := rapid.OneOf(rapid.SampledFrom([]string{"doc:a", "doc:b", "op:c", `k"\`, "ü\n"}), rapid.String())
	value := rapid.Custom(func(t *rapid.T) json.RawMessage {
		if rapid.IntRange(0, 3).Draw(t, "removal") == 0 {
			return nil
		}
		data, err := json.Marshal(map[string]any{"s": rapid.StringMatching(`[a-z"\\{}\[\],:\n ]{0,40}`).Draw(t, "s"), "n": rapid.Int().Draw(t, "n"), "l": []any{nil, true, "]}"}})
		if rapid.Bool().Draw(t, "plain") {
			data, err = json.Marshal(rapid.OneOf(rapid.Just[any](1.5), rapid.Just[any]("x,]}"), rapid.Just[any](false)).Draw(t, "leaf"))
		}
		if err != nil {
			t.Fatal(err)
		}
		return data
	})
	write := rapid.Custom(func(t *rapid.T) Write { return Write{Key: key.Draw(t, "key"), Value: value.Draw(t, "value")} })
	return rapid.SliceOfN(rapid.SliceOfN(write, 1, 4), 1, 8).Draw(t, "transactions")
}

func applied(all [][]Write) map[string]string {
	out := map[string]string{}
	for _, writes := range all {
		for _, w := range writes {
			if w.Value == nil {
				delete(out, w.Key)
			} else {
				out[w.Key] = string(w.Value)
			}
		}
	}
	return out
}

// TestTornTail cuts the log of any transactions at any byte, as a kill in the middle of a
// write would, and wants every transaction before the cut, nothing of the one that is torn,
// and a later one to be found again.
func TestTornTail(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		path := filepath.Join(dir, "log")
		_ = os.Remove(path)
		all := transactions(t)
		s := open(t, path)
		ends := []int64{0}
		for _, writes := range all {
			if err := s.Commit(writes); err != nil {
				t.Fatal(err)
			}
			ends = append(ends, s.size)
		}
		same(t, "before", contents(t, s), applied(all))
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		cut := rapid.IntRange(0, len(whole)).Draw(t, "cut")
		if err := os.WriteFile(path, whole[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		complete := 0
		for i, end := range ends {
			if int64(cut) >= end {
				complete = i
			}
		}
		again := open(t, path)
		want := applied(all[:complete])
		same(t, "after the cut", contents(t, again), want)
		put(t, again, "after", `1`)
		want["after"] = "1"
		same(t, "and a write", contents(t, open(t, path)), want)
	})
}

// TestEarlierForm reads a line as earlier versions wrote it.
func TestEarlierForm(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(path, []byte(earlierLine), 0o600); err != nil {
		t.Fatal(err)
	}
	same(t, "an earlier log", contents(t, open(t, path)), map[string]string{"doc:/a": `{"id":"/A","body":{"x":"\u003c]}"}}`})
}

const earlierLine = "e7bc51dc " + `[{"k":"doc:/a","v":{"id":"/A","body":{"x":"\u003c]}"}}},{"k":"op:1"}]` + "\n"

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

// TestRewrite writes while the log is rewritten again and again, and wants nothing lost.
func TestRewrite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	s := open(t, path)
	s.Trouble = func(err error) { t.Error(err) }
	put(t, s, "stays", `"here"`)
	put(t, s, "goes", `"away"`)
	var wg sync.WaitGroup
	for worker := range 3 {
		wg.Go(func() {
			for i := range 20 {
				put(t, s, fmt.Sprint("big-", worker), `"`+strings.Repeat(string(rune('a'+i)), 1<<20)+`"`)
				put(t, s, fmt.Sprint("small-", worker, "-", i), fmt.Sprint(i))
				put(t, s, fmt.Sprint("brief-", worker), `1`)
				put(t, s, fmt.Sprint("brief-", worker), ``)
			}
		})
	}
	put(t, s, "goes", "")
	wg.Wait()
	s.rewriting.Wait()
	got := contents(t, s)
	if len(got) != 1+3*21 || got["stays"] != `"here"` || !strings.HasPrefix(got["big-1"], `"ttt`) || got["small-2-19"] != "19" {
		t.Fatalf("after rewrites: %d keys", len(got))
	}
	if s.size > 30<<20 {
		t.Fatalf("the log was not rewritten: %d bytes", s.size)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	same(t, "opened again", contents(t, open(t, path)), got)
}

// TestFailedWrite breaks a write in its middle, as a full disk does, and wants the store
// as it was before, also for whoever reads the file, and later writes taken.
func TestFailedWrite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	s := open(t, path)
	put(t, s, "a", `1`)
	line, _ := encode([]Write{{Key: "lost", Value: json.RawMessage(`"x"`)}})
	if _, err := s.file.Write(line[:len(line)-4]); err != nil {
		t.Fatal(err)
	}
	s.torn = true
	put(t, s, "b", `2`)
	want := map[string]string{"a": "1", "b": "2"}
	same(t, "in memory", contents(t, s), want)
	same(t, "in the file", contents(t, open(t, path)), want)
}

// FuzzLoad wants no panic, and what was read to be read again after the end was cut.
func FuzzLoad(f *testing.F) {
	f.Add([]byte(earlierLine))
	f.Add([]byte("00000000 []\n"))
	f.Add(bytes.Repeat([]byte(earlierLine), 3)[:200])
	f.Fuzz(func(t *testing.T, data []byte) {
		_ = eachWrite(append(append([]byte("00000000 "), data...), "}],\n"...), func(string, int, int) {})
		path := filepath.Join(t.TempDir(), "log")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := Open(path)
		if err != nil {
			return
		}
		defer s.Close()
		same(t, "again", contents(t, open(t, path)), contents(t, s))
	})
}
