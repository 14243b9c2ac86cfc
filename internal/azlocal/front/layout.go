package front

import (
	"encoding/json"
	"errors"
	"fmt"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/doc"
)

// Providers that write JSON in their own layout.
const (
	computeProvider = "Microsoft.Compute"
	networkProvider = "Microsoft.Network"
)

// maker is the provider that made an answer, "" for ARM itself.
func maker(resource string, err error) string {
	if e, ok := errors.AsType[*arm.Error](err); ok && e.Gateway {
		return ""
	}
	if id := arm.ParseID(resource); len(id.Types) > 0 {
		return id.Namespace
	}
	return "" // the registration of a provider is ARM's
}

// encode writes compact JSON.
func encode(v any) (json.RawMessage, error) {
	if data, ok := v.(json.RawMessage); ok {
		return data, nil
	}
	data, err := doc.Append(nil, v)
	if err != nil {
		return nil, fmt.Errorf("encode an answer: %w", err)
	}
	return data, nil
}

// envelope is the body of a refusal. Network's always have details (azure-docs#88211).
func envelope(e *arm.Error, provider string) any {
	if provider == networkProvider && len(e.Details) == 0 && !e.Bare {
		inner := map[string]any{"code": e.Code, "message": e.Message, "details": []any{}}
		if e.Target != "" {
			inner["target"] = e.Target
		}
		return map[string]any{"error": inner}
	}
	return e.Envelope()
}

// layout gives JSON the form in which a provider writes it, as recorded: compute and network indent by
// two with CRLF, compute keeps networkProfile on one line; everybody else is compact.
func layout(data []byte, provider string) []byte {
	switch provider {
	case computeProvider:
		return indent(data, `"networkProfile"`)
	case networkProvider:
		return indent(data, "")
	}
	return data
}

// indent lays out compact JSON. The value of the key oneLine stays on one line.
func indent(src []byte, oneLine string) []byte {
	out := make([]byte, 0, len(src)*2)
	depth := 0
	line := func() {
		out = append(out, '\r', '\n')
		for range depth {
			out = append(out, ' ', ' ')
		}
	}
	for i := 0; i < len(src); i++ {
		switch c := src[i]; c {
		case '"':
			end := closing(src, i)
			out = append(out, src[i:end]...)
			if string(src[i:end]) == oneLine && end < len(src) && src[end] == ':' {
				value := end + 1
				end = valueEnd(src, value)
				out = append(append(out, ": "...), src[value:end]...)
			}
			i = end - 1
		case '{', '[':
			out = append(out, c)
			if i+1 < len(src) && (src[i+1] == '}' || src[i+1] == ']') {
				i++
				out = append(out, src[i])
				continue
			}
			depth++
			line()
		case '}', ']':
			depth--
			line()
			out = append(out, c)
		case ',':
			out = append(out, c)
			line()
		case ':':
			out = append(out, c, ' ')
		default:
			out = append(out, c)
		}
	}
	return out
}

// closing is the index behind the string that begins at i.
func closing(src []byte, i int) int {
	for i++; i < len(src); i++ {
		switch src[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(src)
}

// valueEnd is the index behind the value that begins at i.
func valueEnd(src []byte, i int) int {
	for depth := 0; i < len(src); i++ {
		switch src[i] {
		case '"':
			i = closing(src, i) - 1
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		case ',':
			if depth == 0 {
				return i
			}
		}
		if depth < 0 {
			return i
		}
	}
	return i
}
