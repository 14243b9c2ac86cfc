package config

import (
	"fmt"
	"slices"
	"strings"
)

// Entry describes one key for people.
type Entry struct {
	Key     string `json:"key"`  // "providers.NAME.cloud" for every instance
	Type    string `json:"type"` // string, boolean, integer, number or list
	Default string `json:"default"`
	Env     string `json:"environment"` // the variable that sets it
	About   string `json:"about"`
}

// anyInstance stands for the name of an instance.
const anyInstance = "NAME"

// Reference lists every key there is, once.
func Reference() []Entry {
	s := defaults()
	var all []Entry
	for _, f := range s.topFields() {
		all = append(all, f.entry())
	}
	for _, f := range newProvider(anyInstance).fields() {
		f.key = "providers." + anyInstance + "." + f.key
		all = append(all, f.entry())
	}
	return all
}

func (f field) entry() Entry {
	value := Value{Value: f.read()}.Text()
	if _, ok := f.ptr.(*string); ok {
		value = fmt.Sprintf("%q", value)
	}
	return Entry{
		Key: f.key, Type: f.typeName(), Default: value, About: f.about,
		Env: envPrefix + strings.ToUpper(strings.NewReplacer("-", "_", ".", "__").Replace(f.key)),
	}
}

// Words lists the values of a key that is one of a few words; nothing for other keys.
func Words(key string) []string {
	key = normalize(key)
	return slices.DeleteFunc(wordsOf(key), func(word string) bool {
		scratch := defaults()
		f, ok := scratch.find(key, true)
		if !ok {
			return true
		}
		v, wrong := f.parse(word)
		return wrong != nil || f.assign(v) != nil || f.verify() != nil
	})
}

func wordsOf(key string) []string {
	e, _ := Describe(key)
	switch {
	case e.Type == "boolean":
		return []string{"true", "false"}
	case strings.HasSuffix(e.Key, ".cloud"):
		return cloudNames()
	case strings.HasSuffix(e.Key, ".os_disk_type"):
		return diskTypes()
	case strings.HasSuffix(e.Key, ".default_idle_mode"):
		return IdleModes()
	case strings.HasSuffix(e.Key, ".spot_eviction_policy"):
		return evictionPolicies()
	}
	return nil
}

func (f field) typeName() string {
	switch f.ptr.(type) {
	case *bool:
		return "boolean"
	case *int:
		return "integer"
	case *float64:
		return "number"
	case *[]string:
		return "list"
	}
	return "string"
}

// Describe returns the entry of a key of some instance.
func Describe(key string) (Entry, bool) {
	general := key
	if _, rest, ok := instanceKey(key); ok {
		general = "providers." + anyInstance + "." + rest
	}
	for _, e := range Reference() {
		if e.Key == general {
			e.Env = envPrefix + strings.ToUpper(strings.NewReplacer("-", "_", ".", "__").Replace(key))
			return e, true
		}
	}
	return Entry{}, false
}
