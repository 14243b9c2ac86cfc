package fabric

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Names of the settings that are times.
const (
	RolePropagation      = "role-propagation"      // until a new role assignment counts
	RoleRemoval          = "role-removal"          // until a removed one ceases to count
	DirectoryReplication = "directory-replication" // until a new identity is found in the directory
	TokenLifetime        = "token-lifetime"        // of an access token for a client secret
	Registration         = "registration"          // from the request until a provider is registered
	EvictionNotice       = "eviction-notice"       // from the Preempt event until the machine goes
	NICReservation       = "nic-reservation"       // an interface stays reserved after a refused create
)

// QuotaPrefix begins the names of limits; "@REGION" at the end limits one region only.
const QuotaPrefix = "quota."

// Settings are what a subscription is like beyond what its documents say: how slow things
// are, and how much of them it may have. They can change at any time.
type Settings struct {
	times  map[string]time.Duration // defaults, of the profile
	limits map[string]int           // defaults, without the prefix

	mu     sync.RWMutex
	chosen map[string]string
}

// NewSettings starts from a profile, limits by name and what was chosen before.
func NewSettings(l Latency, limits map[string]int, chosen map[string]string) (*Settings, error) {
	s := &Settings{limits: limits, chosen: map[string]string{}, times: map[string]time.Duration{
		RolePropagation: l.Role, RoleRemoval: l.Role, DirectoryReplication: l.Role, TokenLifetime: time.Hour, Registration: l.Provider, EvictionNotice: l.Notice, NICReservation: l.Reservation}}
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
			delete(s.chosen, name)
		} else {
			s.chosen[name] = value
		}
	}
	return nil
}

func (s *Settings) check(name, value string) error {
	if _, ok := s.times[name]; ok {
		if d, err := time.ParseDuration(value); value != "" && (err != nil || d < 0) {
			return fmt.Errorf("%s is a time such as 30s or 2m, not %q", name, value)
		}
		return nil
	}
	limit, isQuota := strings.CutPrefix(name, QuotaPrefix)
	limit, _, _ = strings.Cut(limit, "@")
	if _, ok := s.limits[limit]; !isQuota || !ok {
		return fmt.Errorf("no setting is called %q", name)
	}
	if n, err := strconv.Atoi(value); value != "" && (err != nil || n < 0) {
		return fmt.Errorf("%s is a number, not %q", name, value)
	}
	return nil
}

// Time is the value of a setting that is a time.
func (s *Settings) Time(name string) time.Duration {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if d, err := time.ParseDuration(s.chosen[name]); err == nil {
		return d
	}
	return s.times[name]
}

// Limit is how much of something the subscription may have in a region.
func (s *Settings) Limit(name, region string) int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, key := range []string{QuotaPrefix + name + "@" + region, QuotaPrefix + name} {
		if n, err := strconv.Atoi(s.chosen[key]); err == nil {
			return n
		}
	}
	return s.limits[name]
}

// Setting is a setting as it is now.
type Setting struct {
	Name    string `json:"name"`
	Value   string `json:"value"`
	Default bool   `json:"default"` // not chosen by anybody
}

// All lists every setting by name.
func (s *Settings) All() []Setting {
	values := map[string]string{}
	for name, d := range s.times {
		values[name] = d.String()
	}
	for name, n := range s.limits {
		values[QuotaPrefix+name] = strconv.Itoa(n)
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	maps.Copy(values, s.chosen)
	var out []Setting
	for _, name := range slices.Sorted(maps.Keys(values)) {
		_, chosen := s.chosen[name]
		out = append(out, Setting{Name: name, Value: values[name], Default: !chosen})
	}
	return out
}
