package fabric

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"mngr/internal/azlocal/throttle"
)

// Throttling is the setting that says whether limits of requests are enforced. They are
// counted in either case.
const Throttling = "throttling"

// QuotaPrefix begins the names of limits.
const QuotaPrefix = "quota."

// Definition is something that can be set.
type Definition struct {
	Name     string
	Default  string
	Regional bool // "@REGION" at the end of the name sets it in one region only
	Check    func(value string) error
}

// Number defines a setting that is a number of things, at least min.
func Number(name string, value, min int, regional bool) Definition {
	return Definition{Name: name, Default: strconv.Itoa(value), Regional: regional, Check: func(v string) error {
		if n, err := strconv.Atoi(v); err != nil || n < min {
			return fmt.Errorf("%s is a number from %d, not %q", name, min, v)
		}
		return nil
	}}
}

// Switch defines a setting that is on or off.
func Switch(name string, on bool) Definition {
	return Definition{Name: name, Default: map[bool]string{true: "on", false: "off"}[on], Check: func(v string) error {
		if v != "on" && v != "off" {
			return fmt.Errorf("%s is on or off, not %q", name, v)
		}
		return nil
	}}
}

// Quotas defines limits of a region by name.
func Quotas(limits map[string]int) []Definition {
	var out []Definition
	for _, name := range slices.Sorted(maps.Keys(limits)) {
		out = append(out, Number(QuotaPrefix+name, limits[name], 0, true))
	}
	return out
}

func (d Duration) definition(p Profile) Definition {
	return Definition{Name: d.Name, Default: d.In(p).String(), Check: func(v string) error {
		if t, err := time.ParseDuration(v); err != nil || t < 0 {
			return fmt.Errorf("%s is a time such as 30s or 2m, not %q", d.Name, v)
		}
		return nil
	}}
}

// Settings are what a subscription is like beyond what its documents say: how slow things
// are, and how much of them it may have. They can change at any time.
type Settings struct {
	regions     []string
	definitions map[string]Definition // by lower-case name

	mu      sync.RWMutex
	chosen  map[string]string // by lower-case name, with the region
	changed chan struct{}     // closed by the next choice
}

// NewSettings starts from a profile, what can be set beside its durations and the clock, the
// names of the regions, and what was chosen before.
func NewSettings(p Profile, regions []string, more []Definition, chosen map[string]string) (*Settings, error) {
	s := &Settings{regions: regions, definitions: map[string]Definition{}, chosen: map[string]string{}, changed: make(chan struct{})}
	all := []Definition{{Name: clockSetting, Default: "1", Check: checkClock}}
	for _, d := range Durations() {
		all = append(all, d.definition(p))
	}
	for _, d := range append(all, more...) {
		s.definitions[strings.ToLower(d.Name)] = d
	}
	return s, s.Choose(chosen)
}

// Choose sets values by name, all or none. An empty value brings back the default.
func (s *Settings) Choose(values map[string]string) error {
	for name, value := range values {
		if err := s.check(name, value); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, value := range values {
		if value == "" {
			delete(s.chosen, strings.ToLower(name))
		} else {
			s.chosen[strings.ToLower(name)] = value
		}
	}
	close(s.changed)
	s.changed = make(chan struct{})
	return nil
}

func (s *Settings) check(name, value string) error {
	base, region, regional := strings.Cut(strings.ToLower(name), "@")
	d, ok := s.definitions[base]
	switch {
	case !ok:
		return fmt.Errorf("no setting is called %q", name)
	case regional && !d.Regional:
		return fmt.Errorf("%s is the same in all regions", d.Name)
	case regional && !slices.Contains(s.regions, region):
		return fmt.Errorf("no region is called %q; there are: %s", region, strings.Join(s.regions, ", "))
	case value == "":
		return nil
	}
	return d.Check(value)
}

// changes is closed when something is chosen.
func (s *Settings) changes() <-chan struct{} {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.changed
}

// Value is what a setting is in a region; "" for the region where there is none.
func (s *Settings) Value(name, region string) string {
	name = strings.ToLower(name)
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, key := range []string{name + "@" + strings.ToLower(region), name} {
		if v, ok := s.chosen[key]; ok {
			return v
		}
	}
	return s.definitions[name].Default
}

// Int is the value of a setting that is a number.
func (s *Settings) Int(name, region string) int {
	n, err := strconv.Atoi(s.Value(name, region))
	if err != nil {
		return 0
	}
	return n
}

// On is the value of a setting that is on or off.
func (s *Settings) On(name string) bool { return s.Value(name, "") == "on" }

// Limit is how much of something the subscription may have in a region.
func (s *Settings) Limit(name, region string) int { return s.Int(QuotaPrefix+name, region) }

// Bucket is a limit of requests by name.
func (s *Settings) Bucket(name string) throttle.Limit {
	p, _ := throttle.Find(name)
	if size := s.Int(throttle.Prefix+name, ""); size > 0 && size != p.Limit.Size {
		return p.Limit.Sized(size)
	}
	return p.Limit
}

// Setting is a setting as it is now.
type Setting struct {
	Name    string `json:"name"`
	Value   string `json:"value"`
	Default bool   `json:"default"` // not chosen by anybody
}

// All lists every setting by name. What is nothing by default is listed once it is chosen.
func (s *Settings) All() []Setting {
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := []Setting{}
	for name, d := range s.definitions {
		if _, chosen := s.chosen[name]; !chosen && d.Default != "" {
			out = append(out, Setting{Name: d.Name, Value: d.Default, Default: true})
		}
	}
	for name, value := range s.chosen {
		base, region, regional := strings.Cut(name, "@")
		shown := s.definitions[base].Name
		if regional {
			shown += "@" + region
		}
		out = append(out, Setting{Name: shown, Value: value})
	}
	slices.SortFunc(out, func(a, b Setting) int { return strings.Compare(a.Name, b.Name) })
	return out
}
