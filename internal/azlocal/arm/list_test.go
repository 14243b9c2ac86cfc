package arm

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"mngr/internal/azlocal/doc"
)

func rowsOf(ids []string) []doc.Object {
	var out []doc.Object
	for _, id := range ids {
		out = append(out, doc.Object{"id": id})
	}
	return out
}

// follow reads a list to its end; between is called after each page and returns the list as
// it is then.
func follow(t rapid.TB, r *Request, ids []string, between func([]string) []string) []string {
	var seen []string
	for range 100 {
		body := List(r, rowsOf(ids)).Body.(doc.Object)
		for _, row := range body.List("value") {
			seen = append(seen, row.Str("id"))
		}
		next := body.Str("nextLink")
		if next == "" {
			return seen
		}
		u, err := url.Parse(next)
		if err != nil || !u.IsAbs() || u.Path != r.Path || u.Query().Get("api-version") != r.Query.Get("api-version") {
			t.Fatalf("nextLink %q (%v) is not the request's own URL", next, err)
		}
		r.Query = u.Query()
		if r.Paging, err = ReadPaging(r.Query, r.Paging.Size); err != nil {
			t.Fatal(err)
		}
		ids = between(ids)
	}
	t.Fatal("the list does not end")
	return nil
}

// TestPagesMissNothing checks that every row that was there all the time is listed exactly
// once, whatever comes and goes between the pages.
func TestPagesMissNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := rapid.IntRange(0, 40).Draw(t, "rows")
		ids := []string{}
		stay := map[string]bool{}
		for i := range all {
			id := fmt.Sprintf("/x/%03d", i)
			if rapid.Bool().Draw(t, "there") {
				ids = append(ids, id)
				stay[id] = true
			}
		}
		r := &Request{Path: "/a b/c", Origin: "https://h:1", Paging: Paging{Size: rapid.IntRange(1, 7).Draw(t, "size")}, Query: url.Values{"api-version": {"v"}}}
		seen := follow(t, r, ids, func(now []string) []string {
			id := fmt.Sprintf("/x/%03d", rapid.IntRange(0, 40).Draw(t, "change"))
			delete(stay, id)
			if i, found := slices.BinarySearch(now, id); found {
				return slices.Delete(slices.Clone(now), i, i+1)
			} else {
				return slices.Insert(slices.Clone(now), i, id)
			}
		})
		if !slices.IsSorted(seen) || len(slices.Compact(slices.Clone(seen))) != len(seen) {
			t.Fatalf("rows twice or out of order: %v", seen)
		}
		for id := range stay {
			if !slices.Contains(seen, id) {
				t.Fatalf("%s is missing in %v", id, seen)
			}
		}
	})
}

func TestTop(t *testing.T) {
	r := &Request{Origin: "https://h", Path: "/p", Query: url.Values{"$top": {"2"}}, Paging: Paging{Size: 10}}
	resp, err := ListTop(r, rowsOf([]string{"/a", "/b", "/c"}))
	if err != nil {
		t.Fatal(err)
	}
	body := resp.Body.(doc.Object)
	if len(body.List("value")) != 2 || !strings.HasPrefix(body.Str("nextLink"), "https://h/p?") {
		t.Fatalf("a page of two: %v", body)
	}
	r.Query.Set("$top", "-1")
	if _, err := ListTop(r, nil); err == nil {
		t.Fatal("a page of minus one row")
	}
}

// FuzzSkipToken checks that no token makes a list panic or repeat rows before it.
func FuzzSkipToken(f *testing.F) {
	f.Add(skipToken{2, "/b"}.String())
	f.Add("250")
	f.Add("")
	f.Fuzz(func(t *testing.T, token string) {
		paging, err := ReadPaging(url.Values{"$skiptoken": {token}}, 0)
		if err != nil {
			return
		}
		if back, ok := parseSkipToken(paging.skip.String()); token != "" && (!ok || back.index != paging.skip.index) {
			t.Fatalf("%q is not stable: %v, %v", token, paging.skip, back)
		}
		for _, row := range List(&Request{Paging: paging}, rowsOf([]string{"/a", "/b", "/c"})).Body.(doc.Object).List("value") {
			if row.Str("id") <= paging.skip.after {
				t.Fatalf("%q lists %s again", token, row.Str("id"))
			}
		}
	})
}
