package doc

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"

	"pgregory.net/rapid"
)

// anyValue draws what a decoded JSON document may hold.
func anyValue(depth int) *rapid.Generator[any] {
	leaf := rapid.OneOf(
		rapid.Just[any](nil), rapid.Map(rapid.Bool(), func(b bool) any { return b }),
		rapid.Map(rapid.String(), func(s string) any { return s }),
		rapid.Map(rapid.StringMatching(`[a-zA-Z/"\\<>&{}:,\[\]]{0,30}`), func(s string) any { return s }),
		rapid.Map(rapid.Float64Range(-1e20, 1e20), func(f float64) any { return f }),
		rapid.Map(rapid.IntRange(-1000, 1000), func(n int) any { return float64(n) }))
	if depth == 0 {
		return leaf
	}
	return rapid.OneOf(leaf,
		rapid.Map(rapid.SliceOfN(anyValue(depth-1), 0, 4), func(l []any) any { return l }),
		rapid.Map(rapid.MapOfN(rapid.String(), anyValue(depth-1), 0, 4), func(m map[string]any) any { return Object(m) }))
}

// TestCodec wants what encoding/json reads from what Append wrote, and Decoder to read the
// same, twice with shared words.
func TestCodec(t *testing.T) {
	var d Decoder
	rapid.Check(t, func(t *rapid.T) {
		o := Object(rapid.MapOfN(rapid.String(), anyValue(3), 0, 5).Draw(t, "object"))
		data, err := Append(nil, o)
		if err != nil {
			t.Fatal(err)
		}
		var plain map[string]any
		if err := json.Unmarshal(data, &plain); err != nil {
			t.Fatalf("%v: %s", err, data)
		}
		got, err := d.Object(data)
		if err != nil || !reflect.DeepEqual(plainly(got), any(plain)) {
			t.Fatalf("%v: %s is read as %v", err, data, got)
		}
		again, err := json.Marshal(plain)
		if err != nil {
			t.Fatal(err)
		}
		if ours, _ := Append(nil, got); len(ours) == 0 || !sameJSON(again, ours) {
			t.Fatalf("%s became %s", again, ours)
		}
	})
}

func plainly(v any) any {
	switch t := v.(type) {
	case Object:
		out := map[string]any{}
		for k, e := range t {
			out[k] = plainly(e)
		}
		return out
	case []any:
		out := []any{}
		for _, e := range t {
			out = append(out, plainly(e))
		}
		return out
	}
	return v
}

func sameJSON(a, b []byte) bool {
	var x, y any
	return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && reflect.DeepEqual(x, y)
}

// TestSkim wants of a document that is decoded in part the same JSON as of the whole, and
// its outer levels decoded.
func TestSkim(t *testing.T) {
	var d Decoder
	rapid.Check(t, func(t *rapid.T) {
		o := Object(rapid.MapOfN(rapid.String(), anyValue(4), 0, 5).Draw(t, "object"))
		levels := rapid.IntRange(1, 5).Draw(t, "levels")
		data, err := Append(nil, o)
		if err != nil {
			t.Fatal(err)
		}
		got, err := d.Skim(data, levels)
		if err != nil {
			t.Fatalf("%v: %s", err, data)
		}
		if again, err := Append(nil, got); err != nil || !bytes.Equal(data, again) {
			t.Fatalf("%v: %s became %s", err, data, again)
		}
		whole, err := d.Object(data)
		if err != nil {
			t.Fatal(err)
		}
		if want := deepest(whole, levels); !reflect.DeepEqual(any(got), want) {
			t.Fatalf("%s is read as %v, want %v", data, got, want)
		}
	})
}

// deepest is v with what lies below levels objects and lists as JSON.
func deepest(v any, levels int) any {
	switch t := v.(type) {
	case Object:
		if levels > 0 {
			out := Object{}
			for k, e := range t {
				out[k] = deepest(e, levels-1)
			}
			return out
		}
	case []any:
		if levels > 0 {
			out := []any{}
			for _, e := range t {
				out = append(out, deepest(e, levels-1))
			}
			return out
		}
	default:
		return v
	}
	raw, _ := Append(nil, v)
	return json.RawMessage(raw)
}

// FuzzDecoder wants no panic and no endless loop, whatever it is given.
func FuzzDecoder(f *testing.F) {
	f.Add([]byte(`{"a":[1,{"b":"c\"\\"},null,true,-1.5e3]}`))
	f.Add([]byte(`{"a":[1,`))
	f.Add([]byte(`{"`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var d Decoder
		o, err := d.Object(data)
		if err != nil {
			_, _ = d.Skim(data, 1)
			return
		}
		if _, err := Append(nil, o); err != nil {
			t.Fatalf("%q is read but cannot be written: %v", data, err)
		}
		for levels := 1; levels < 4; levels++ {
			if _, err := d.Skim(data, levels); err != nil {
				t.Fatalf("%q is read as a whole, but not %d levels of it: %v", data, levels, err)
			}
		}
	})
}
