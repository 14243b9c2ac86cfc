package azure

import (
	"errors"
	"strings"
	"testing"

	"mngr/internal/agent"
)

// anothers is the machine of another host with the name of ours, and with another identity.
func anothers() string {
	text := strings.Replace(machine("Succeeded", ""), string(testHost), "host-ffffffffffffffffffffffffffffffff", 1)
	return strings.ReplaceAll(text, "aaaaaaaa-0000-0000-0000-000000000000", "ffffffff-0000-4000-8000-000000000000")
}

// Azure was busy, and meanwhile a colleague destroyed the machine and made another of the
// name: that one stays, with its right to stop itself.
func TestDestroySparesASuccessor(t *testing.T) {
	list := testVM + "/providers/Microsoft.Authorization/roleAssignments"
	s := newScript(t, with(nothingLeft(), map[string][]scripted{
		"GET " + testVM:    {says(200, machine("Succeeded", "")), says(200, anothers())},
		"DELETE " + testVM: {refuses(409, "Conflict", "another operation"), says(204, "")},
		"GET " + list: {says(200, values(`{"id":"`+list+`/old","properties":{"scope":"`+testVM+`","principalId":"`+"aaaaaaaa-0000-0000-0000-000000000000"+`"}}`,
			`{"id":"`+list+`/new","properties":{"scope":"`+testVM+`","principalId":"ffffffff-0000-4000-8000-000000000000"}}`))},
		"DELETE " + assignmentRoute(): {says(204, "")}, "DELETE " + list + "/old": {says(204, "")}, "DELETE " + list + "/new": {says(204, "")},
	}))
	if err := s.provider().Destroy(t.Context(), ourHost(), nil); err != nil {
		t.Fatal(err)
	}
	for route, want := range map[string]int{"DELETE " + testVM: 1, "DELETE " + list + "/old": 1, "DELETE " + list + "/new": 0} {
		if got := len(s.seen(route)); got != want {
			t.Errorf("%s: %d times, want %d", route, got, want)
		}
	}
}

// What was worked out from tags that others have changed since is not written.
func TestEditTagsNamesWhatWasRead(t *testing.T) {
	s := newScript(t, map[string][]scripted{"PATCH " + testVM: {says(200, machine("Succeeded", "")), refuses(412, "PreconditionFailed", "it has changed")}})
	h := ourHost()
	h.Version, h.Tags = `"7"`, map[string]string{"AzurePolicy": "its own", "Theirs": "kept", "Old": "x"}
	if err := s.provider().EditTags(t.Context(), h, map[string]string{"new": "y"}, []string{"old"}); err != nil {
		t.Fatal(err)
	}
	sent := s.seen("PATCH " + testVM)
	if len(sent) != 1 || sent[0].header.Get("If-Match") != h.Version || !strings.Contains(sent[0].body, `{"tags":{"AzurePolicy":"its own","Theirs":"kept","new":"y"}}`) {
		t.Errorf("sent %+v", sent)
	}
	if err := s.provider().EditTags(t.Context(), h, map[string]string{"new": "z"}, nil); !errors.Is(err, agent.ErrChanged) {
		t.Errorf("got %v", err)
	}
}
