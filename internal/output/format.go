package output

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"mngr/internal/agent"
	"mngr/internal/plain"
)

// Format is how results are written.
type Format string

// Formats.
const (
	Human Format = "human"
	JSON  Format = "json"  // exactly one object
	JSONL Format = "jsonl" // one object a line
	// Templated is a text with fields in braces, written once a row; few commands have rows.
	Templated Format = "template"
)

// ParseFormat reads the argument of --format.
func ParseFormat(s string) (Format, error) {
	switch f := Format(s); f {
	case Human, JSON, JSONL:
		return f, nil
	}
	if strings.Contains(s, "{") {
		_, err := ParseTemplate(s)
		return Templated, err
	}
	return "", agent.Errorf(agent.KindUsage, "%q is no output format", s).WithHint("write human, json or jsonl, or for list a template such as '{name} {host.state}'")
}

// object encodes v on one line. With a name it becomes an event: the key "event" leads.
// Characters that a terminal could obey are escaped, which inside JSON strings, the only
// place where they can stand, changes nothing for a reader.
func object(event string, v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("encode the result: %w", err)
	}
	data := bytes.TrimSpace(b.Bytes())
	if len(data) < 2 || data[0] != '{' {
		return nil, fmt.Errorf("encode the result: %T is no JSON object", v)
	}
	data = escape(data)
	if event == "" {
		return data, nil
	}
	name, err := json.Marshal(event)
	if err != nil {
		return nil, fmt.Errorf("encode the event: %w", err)
	}
	head := append([]byte(`{"event":`), name...)
	if len(data) > 2 {
		head = append(head, ',')
	}
	return append(head, data[1:]...), nil
}

func escape(data []byte) []byte {
	if bytes.IndexFunc(data, plain.Unsafe) < 0 {
		return data
	}
	var b bytes.Buffer
	for len(data) > 0 {
		r, size := utf8.DecodeRune(data)
		if plain.Unsafe(r) {
			for _, unit := range utf16.Encode([]rune{r}) {
				fmt.Fprintf(&b, `\u%04x`, unit)
			}
		} else {
			b.Write(data[:size])
		}
		data = data[size:]
	}
	return b.Bytes()
}
