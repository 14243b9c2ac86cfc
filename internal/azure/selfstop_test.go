package azure

import (
	"strings"
	"testing"
)

// A create that was killed before it assigned the role is finished later, perhaps by two
// commands at once.
func TestLetStopItself(t *testing.T) {
	noIdentity := strings.Replace(machine("Succeeded", ""), `"identity"`, `"was"`, 1)
	for name, c := range map[string]struct {
		vm   scripted
		puts []scripted
		off  bool
		why  string // a part of it; "" when it works
	}{
		"never assigned":       {vm: says(200, machine("Succeeded", "")), puts: []scripted{says(201, `{}`)}},
		"assigned before":      {vm: says(200, machine("Succeeded", "")), puts: []scripted{refuses(409, "RoleAssignmentExists", "The role assignment already exists.")}},
		"no permission":        {vm: says(200, machine("Succeeded", "")), puts: []scripted{refuses(403, "AuthorizationFailed", "…")}, why: permissionAssign},
		"no identity":          {vm: says(200, noIdentity), why: "no identity"},
		"gone":                 {vm: notThere, why: "does not exist"},
		"not to be read":       {vm: refuses(403, "AuthorizationFailed", "no read"), why: "no read"},
		"switched off by user": {off: true, why: "switched off"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScript(t, map[string][]scripted{"GET " + testVM: {c.vm}, "PUT " + assignmentRoute(): c.puts})
			ok, why := s.provider(func(s *Settings) { s.SelfStop = !c.off }).LetStopItself(t.Context(), testVM)
			if ok != (c.why == "") || !strings.Contains(why, c.why) {
				t.Errorf("got %v, %q; want %q", ok, why, c.why)
			}
			if n := len(s.seen("PUT *")); n != len(c.puts) {
				t.Errorf("%d requests, want %d", n, len(c.puts))
			}
		})
	}
	other := strings.Replace(testVM, testSub, "99999999-2222-3333-4444-555555555555", 1)
	if ok, why := newScript(t, nil).provider().LetStopItself(t.Context(), other); ok || !strings.Contains(why, "99999999") {
		t.Errorf("another subscription's: %v, %q", ok, why)
	}
}
