package azure

import (
	"strings"
	"testing"

	"mngr/internal/agent"
)

const tagsRoute = "/providers/Microsoft.Resources/tags/default"

// Other writers make ARM answer 409 with either code, and Azure fails by itself: the merge
// is repeated, and stays one merge.
func TestMergeOutlastsOtherWriters(t *testing.T) {
	s := newScript(t, map[string][]scripted{
		"PATCH " + testVM + tagsRoute: {
			refuses(409, "ConflictingConcurrentWriteNotAllowed", "another write"), refuses(409, "Conflict", "busy"),
			refuses(409, "InternalExecutionError", "an error inside Azure"), says(200, `{}`),
		},
	})
	if err := s.provider().MergeTags(t.Context(), testVM, map[string]string{"mngr-agent-x-record": "1"}, nil); err != nil {
		t.Fatal(err)
	}
	sent := s.seen("PATCH *")
	if len(sent) != 4 || !strings.Contains(sent[3].body, `"operation":"Merge"`) || strings.Contains(sent[3].body, "managed-by") {
		t.Errorf("sent %+v", sent)
	}
	s = newScript(t, map[string][]scripted{"PATCH " + testVM + tagsRoute: {refuses(403, "AuthorizationFailed", "no")}})
	if err := s.provider().MergeTags(t.Context(), testVM, map[string]string{"a": "1"}, nil); agent.KindOf(err) != agent.KindDenied || len(s.seen("PATCH *")) != 1 {
		t.Errorf("a refusal is final: %v", err)
	}
}

// What makes a machine ours, and Azure's own names, are never written; nothing is sent.
func TestProtectedTags(t *testing.T) {
	p := newScript(t, nil).provider()
	for name, c := range map[string]struct {
		set    map[string]string
		remove []string
		kind   agent.Kind
	}{
		"the owner":       {map[string]string{"Managed-By": "x"}, nil, agent.KindInternal},
		"the host id":     {nil, []string{"MNGR-host-id"}, agent.KindInternal},
		"Azure's names":   {map[string]string{"Microsoft.x": "y"}, nil, agent.KindUsage},
		"a bad character": {map[string]string{"a/b": "y"}, nil, agent.KindUsage},
		"a long value":    {map[string]string{"a": strings.Repeat("é", 257)}, nil, agent.KindUsage},
	} {
		if err := p.MergeTags(t.Context(), testVM, c.set, c.remove); agent.KindOf(err) != c.kind {
			t.Errorf("%s: %v", name, err)
		}
	}
}
