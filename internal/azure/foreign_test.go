package azure

import (
	"context"
	"strings"
	"testing"

	"mngr/internal/agent"
)

// The name of a host's machine is the same in every subscription and group, so that only
// its resource id tells whose machine is meant.
func TestAnotherInstancesMachineIsRefused(t *testing.T) {
	const otherSub = "99999999-2222-3333-4444-555555555555"
	verbs := map[string]func(context.Context, *Provider, string) error{
		"get": func(ctx context.Context, p *Provider, id string) error { _, err := p.Get(ctx, id); return err },
		"start": func(ctx context.Context, p *Provider, id string) error {
			return p.Start(ctx, id, true, nil)
		},
		"stop": func(ctx context.Context, p *Provider, id string) error { return p.Stop(ctx, id, true, nil) },
		"destroy": func(ctx context.Context, p *Provider, id string) error {
			return p.Destroy(ctx, agent.Host{ID: testHost, Resource: id}, nil)
		},
		"tag": func(ctx context.Context, p *Provider, id string) error {
			return p.MergeTags(ctx, id, map[string]string{"a": "b"}, nil)
		},
	}
	for verb, do := range verbs {
		t.Run(verb, func(t *testing.T) {
			for id, names := range map[string][]string{
				strings.Replace(testVM, testSub, otherSub, 1):                                 {otherSub, testSub},
				strings.Replace(testVM, "/resourceGroups/mngr/", "/resourceGroups/other/", 1): {"other", "mngr"},
			} {
				err := do(t.Context(), newScript(t, nil).provider(), id) // nothing may be asked
				if agent.KindOf(err) != agent.KindRefused || agent.HintOf(err) == "" {
					t.Fatalf("%s: got %v, hint %q", id, err, agent.HintOf(err))
				}
				for _, name := range names {
					if !strings.Contains(err.Error(), name) {
						t.Errorf("%q does not name %s", err, name)
					}
				}
			}
			own := strings.Replace(strings.ToUpper(testVM), "/MNGR/", "/Mngr/", 1) // in anybody's spelling
			s := newScript(t, with(nothingLeft(), map[string][]scripted{
				"GET " + testVM: {says(200, machine("Succeeded", "")), notThere}, "DELETE " + testVM: {says(204, "")},
				"DELETE " + assignmentRoute():                                     {says(204, "")},
				"POST " + testVM + "/start":                                       {says(200, "")},
				"POST " + testVM + "/deallocate":                                  {says(200, "")},
				"PATCH " + testVM + "/providers/Microsoft.Resources/tags/default": {says(200, `{}`)},
			}))
			if err := do(t.Context(), s.provider(), own); err != nil {
				t.Errorf("our own machine: %v", err)
			}
		})
	}
}
