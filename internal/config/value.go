package config

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Layer says how strong a value is.
type Layer string

// Layers, the weakest first.
const (
	LayerDefault Layer = "default"
	LayerUser    Layer = "user"
	LayerProject Layer = "project"
	LayerLocal   Layer = "local"
	LayerEnv     Layer = "environment"
	LayerSetting Layer = "setting" // -S
	LayerFlag    Layer = "flag"
)

// Origin says where a value was set.
type Origin struct {
	Layer Layer  `json:"layer"`
	File  string `json:"file,omitempty"`
	Line  int    `json:"line,omitempty"` // 1 is the first
	Name  string `json:"name,omitempty"` // of the environment variable or flag
}

// String is "default", "FILE:LINE" or the name of a variable or flag.
func (o Origin) String() string {
	switch {
	case o.File != "":
		return fmt.Sprintf("%s:%d", o.File, o.Line)
	case o.Name != "":
		return o.Name
	}
	return string(o.Layer)
}

// Place is "FILE:LINE", the name of a variable or flag, or "" for a built-in value.
func (o Origin) Place() string {
	if o.Layer == LayerDefault {
		return ""
	}
	return o.String()
}

// Value is one setting and its origin.
type Value struct {
	Key    string `json:"key"`
	Value  any    `json:"value"` // string, bool, int, float64 or []string
	Origin Origin `json:"origin"`
}

// Text is the value as `config get` prints it and `config set` reads it.
func (v Value) Text() string {
	switch x := v.Value.(type) {
	case string:
		return x
	case bool:
		return strconv.FormatBool(x)
	case int:
		return strconv.Itoa(x)
	case float64:
		return strconv.FormatFloat(x, 'g', -1, 64)
	default:
		b, err := json.Marshal(v.Value)
		if err != nil {
			return fmt.Sprint(v.Value)
		}
		return string(b)
	}
}

// read returns what a field's variable holds, never nil.
func (f field) read() any {
	switch p := f.ptr.(type) {
	case *string:
		return *p
	case *bool:
		return *p
	case *int:
		return *p
	case *float64:
		return *p
	case *[]string:
		return append([]string{}, *p...)
	}
	panic(fmt.Sprintf("config: field %s has type %T", f.key, f.ptr))
}

// assign stores a value decoded from TOML.
func (f field) assign(v any) *fault {
	switch p := f.ptr.(type) {
	case *string:
		if s, ok := v.(string); ok {
			*p = s
			return nil
		}
		return &fault{"the value is no string", fmt.Sprintf("write it in quotation marks, for example %s = \"...\"", lastSegment(f.key))}
	case *bool:
		if b, ok := v.(bool); ok {
			*p = b
			return nil
		}
		return &fault{"the value is neither true nor false", "write true or false without quotation marks"}
	case *int:
		if n, ok := v.(int64); ok && int64(int(n)) == n {
			*p = int(n)
			return nil
		}
		return &fault{"the value is no whole number", "write digits without quotation marks"}
	case *float64:
		switch n := v.(type) {
		case float64:
			*p = n
			return nil
		case int64:
			*p = float64(n)
			return nil
		}
		return &fault{"the value is no number", "write a number without quotation marks, for example 0.05"}
	case *[]string:
		if list, ok := stringList(v); ok {
			*p = list
			return nil
		}
		return &fault{"the value is no list of strings", fmt.Sprintf("write %s = [\"...\", \"...\"]", lastSegment(f.key))}
	}
	panic(fmt.Sprintf("config: field %s has type %T", f.key, f.ptr))
}

func stringList(v any) ([]string, bool) {
	items, ok := v.([]any)
	if !ok {
		return nil, false
	}
	list := make([]string, 0, len(items))
	for _, item := range items {
		s, ok := item.(string)
		if !ok {
			return nil, false
		}
		list = append(list, s)
	}
	return list, true
}

// parse reads a value given as text: an environment variable, -S or `config set`.
// A list is JSON, or one element without brackets, or nothing at all.
func (f field) parse(s string) (any, *fault) {
	switch f.ptr.(type) {
	case *bool:
		switch strings.ToLower(s) {
		case "true", "1", "yes":
			return true, nil
		case "false", "0", "no":
			return false, nil
		}
		return nil, &fault{fmt.Sprintf("%q is neither true nor false", s), "write true or false"}
	case *int:
		n, err := strconv.ParseInt(s, 10, 32)
		if err != nil {
			return nil, &fault{fmt.Sprintf("%q is no whole number", s), "write digits only"}
		}
		return n, nil
	case *float64:
		n, err := strconv.ParseFloat(s, 64)
		if err != nil || math.IsNaN(n) || math.IsInf(n, 0) {
			return nil, &fault{fmt.Sprintf("%q is no number", s), "write a number, for example 0.05"}
		}
		return n, nil
	case *[]string:
		return parseList(s)
	}
	if strings.HasPrefix(s, `"`) {
		var unquoted string
		if err := json.Unmarshal([]byte(s), &unquoted); err == nil {
			return unquoted, nil
		}
	}
	return s, nil
}

func parseList(s string) (any, *fault) {
	switch {
	case s == "":
		return []any{}, nil
	case !strings.HasPrefix(s, "["):
		return []any{s}, nil
	}
	var items []any
	if err := json.Unmarshal([]byte(s), &items); err != nil {
		return nil, &fault{fmt.Sprintf("%q is no JSON list", s), `write it as ["one","two"]`}
	}
	return items, nil
}

func lastSegment(key string) string {
	return key[strings.LastIndexByte(key, '.')+1:]
}
