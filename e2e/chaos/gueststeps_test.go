package chaos

import (
	"slices"
	"testing"
)

// The first phase that opens a connection has made all attempts but those of the later ones,
// each of which opens one; a phase that opens none uses the oldest.
func TestStepsOf(t *testing.T) {
	var all []moment
	for _, phase := range []string{"looking at what exists", "connecting to the container", "preparing the agent", "pushing branch main", "starting the agent", "publishing the host keys"} {
		all = append(all, moment{phase: phase})
	}
	got, err := stepsOf(all, map[string]int{"tcp:2222": 4})
	want := []step{
		{phase: "connecting to the container", before: "looking at what exists", nth: 3, use: container.opening()},
		{phase: "preparing the agent", before: "connecting to the container", nth: 1, use: container},
		{phase: "pushing branch main", before: "preparing the agent", nth: 4, use: container.opening()},
		{phase: "starting the agent", before: "pushing branch main", nth: 1, use: container},
		{phase: "publishing the host keys", before: "starting the agent", nth: 1, use: use{call: "Microsoft.Resources/tags/write"}},
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %+v, %v\nwant %+v", got, err, want)
	}
	if _, err := stepsOf(all, map[string]int{"tcp:2222": 1}); err == nil {
		t.Error("fewer connections than phases that open one: no error")
	}
	if _, err := stepsOf([]moment{{phase: "doing something new"}}, nil); err == nil {
		t.Error("a phase that nobody knows: no error")
	}
}
