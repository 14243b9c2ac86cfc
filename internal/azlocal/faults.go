package azlocal

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/fault"
)

// faultStatus is a fault as `fault list` shows it.
type faultStatus struct {
	fault.Rule
	Active bool `json:"active"` // it can still hit
}

type faultList struct {
	Faults []faultStatus `json:"faults"`
}

func (s *Server) listFaults(*http.Request) (any, error) {
	out := faultList{Faults: []faultStatus{}}
	for _, r := range s.world.Faults.List() {
		out.Faults = append(out.Faults, faultStatus{Rule: r, Active: r.Active(time.Now())})
	}
	return out, nil
}

func (s *Server) addFault(r *http.Request) (any, error) {
	rule, err := readStrictly[fault.Rule](r)
	if err == nil {
		err = s.checkOperation(rule.On)
	}
	if err != nil {
		return nil, err
	}
	return s.world.Faults.Add(rule)
}

// checkOperation refuses a pattern that no operation matches: a fault with a slip of the
// pen would never hit, and a test with it would show nothing.
func (s *Server) checkOperation(pattern string) error {
	lower := strings.ToLower(pattern)
	switch {
	case strings.HasPrefix(lower, fault.IMDSPrefix), strings.HasPrefix(lower, fault.TCPPrefix), arm.Wildcard(pattern, fault.EntraToken):
		return nil
	case slices.Contains([]string{"get", "put", "post", "patch", "delete", "head"}, strings.ToLower(method(pattern))):
		return nil
	}
	for _, name := range s.handler.Names() {
		if arm.Wildcard(pattern, name) {
			return nil
		}
	}
	return fmt.Errorf("no operation is called %q", pattern)
}

// method is what a pattern for requests without a name of their own begins with:
// "GET /subscriptions/*".
func method(pattern string) string {
	m, _, _ := strings.Cut(pattern, " ")
	return m
}

func (s *Server) removeFault(r *http.Request) (any, error) {
	known, err := s.world.Faults.Remove(r.PathValue("id"))
	if !known && err == nil {
		err = fmt.Errorf("there is no fault %q", r.PathValue("id"))
	}
	return nil, err
}

func (s *Server) clearFaults(*http.Request) (any, error) { return s.world.Faults.Clear() }
