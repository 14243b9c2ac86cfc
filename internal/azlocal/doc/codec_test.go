package doc

import (
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

// FuzzDecoder wants no panic and no endless loop, whatever it is given.
func FuzzDecoder(f *testing.F) {
	f.Add([]byte(`{"a":[1,{"b":"c\"\\"},null,true,-1.5e3]}`))
	f.Add([]byte(`{"a":[1,`))
	f.Add([]byte(`{"`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var d Decoder
		o, err := d.Object(data)
		if err != nil {
			return
		}
		if _, err := Append(nil, o); err != nil {
			t.Fatalf("%q is read but cannot be written: %v", data, err)
		}
	})
}
