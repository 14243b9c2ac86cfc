package front

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestLayoutAsRecorded checks the forms that make the recorded bodies as long as their
// Content-Length said.
func TestLayoutAsRecorded(t *testing.T) {
	const compact = `{"name":"m","properties":{"networkProfile":{"networkInterfaces":[{"id":"/n, {x}"}]},"zones":[],"tags":{},"n":[1,"a\"b"]}}`
	for provider, want := range map[string]string{
		"": compact,
		"Microsoft.Network": "{\r\n  \"name\": \"m\",\r\n  \"properties\": {\r\n    \"networkProfile\": {\r\n      \"networkInterfaces\": [\r\n        {\r\n          \"id\": \"/n, {x}\"\r\n        }\r\n      ]\r\n    },\r\n" +
			"    \"zones\": [],\r\n    \"tags\": {},\r\n    \"n\": [\r\n      1,\r\n      \"a\\\"b\"\r\n    ]\r\n  }\r\n}",
		"Microsoft.Compute": "{\r\n  \"name\": \"m\",\r\n  \"properties\": {\r\n    \"networkProfile\": {\"networkInterfaces\":[{\"id\":\"/n, {x}\"}]},\r\n" +
			"    \"zones\": [],\r\n    \"tags\": {},\r\n    \"n\": [\r\n      1,\r\n      \"a\\\"b\"\r\n    ]\r\n  }\r\n}",
	} {
		if got := string(layout([]byte(compact), provider)); got != want {
			t.Errorf("%q:\n%q\nwant\n%q", provider, got, want)
		}
	}
}

// TestLayoutKeepsTheValue checks that any document means the same after it was laid out, and
// that without a key on one line it is what the standard library makes with CRLF.
func TestLayoutKeepsTheValue(t *testing.T) {
	var value func(depth int) *rapid.Generator[any]
	value = func(depth int) *rapid.Generator[any] {
		return rapid.Custom(func(t *rapid.T) any {
			switch kind := rapid.IntRange(0, 4).Draw(t, "kind"); {
			case kind == 0 && depth > 0:
				return rapid.SliceOfN(value(depth-1), 0, 3).Draw(t, "list")
			case kind == 1 && depth > 0:
				keys := rapid.OneOf(rapid.Just("networkProfile"), rapid.String())
				return rapid.MapOfN(keys, value(depth-1), 0, 3).Draw(t, "object")
			case kind == 2:
				return rapid.Float64Range(-1e6, 1e6).Draw(t, "number")
			}
			return rapid.String().Draw(t, "text")
		})
	}
	rapid.Check(t, func(t *rapid.T) {
		src, err := encode(map[string]any{"a": value(4).Draw(t, "value")})
		if err != nil {
			t.Fatal(err)
		}
		for _, provider := range []string{"", computeProvider, networkProvider} {
			var back bytes.Buffer
			if err := json.Compact(&back, layout(src, provider)); err != nil || !bytes.Equal(back.Bytes(), src) {
				t.Fatalf("%q: %s became %s (%v)", provider, src, back.Bytes(), err)
			}
		}
		var std bytes.Buffer
		if err := json.Indent(&std, src, "", "  "); err != nil {
			t.Fatal(err)
		}
		if want := strings.ReplaceAll(std.String(), "\n", "\r\n"); string(layout(src, networkProvider)) != want {
			t.Fatalf("%q, want %q", layout(src, networkProvider), want)
		}
	})
}
