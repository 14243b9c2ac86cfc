package process

import (
	"context"
	"errors"
	"os/exec"
	"slices"
	"testing"
)

// start runs a process that is known by its argument.
func start(t *testing.T, name string) {
	t.Helper()
	cmd := exec.Command("sh", "-c", "read line", name)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	t.Cleanup(func() {
		in.Close()
		<-ended
	})
}

func named(name string) func([]string) bool {
	return func(args []string) bool { return len(args) == 4 && args[0] == "sh" && slices.Contains(args, name) }
}

func TestLife(t *testing.T) {
	name, other := t.Name()+t.TempDir(), t.Name()+"-other"+t.TempDir()
	start(t, name)
	start(t, other)
	found, err := Find(named(name))
	if err != nil || len(found) != 1 {
		t.Fatalf("found %d, %v", len(found), err)
	}
	defer found[0].Close()

	impatient, cancel := context.WithCancelCause(t.Context())
	why := errors.New("enough")
	cancel(why)
	if err := found[0].Wait(impatient); !errors.Is(err, why) {
		t.Errorf("wait for a process that runs: %v", err)
	}
	if err := End(t.Context(), named(name)); err != nil {
		t.Fatal(err)
	}
	if err := found[0].Wait(t.Context()); err != nil {
		t.Errorf("wait for one that has ended: %v", err)
	}
	if err := found[0].Kill(); err != nil {
		t.Errorf("kill one that has ended: %v", err)
	}
	for want, who := range map[int]string{0: name, 1: other} {
		left, err := Find(named(who))
		if err != nil || len(left) != want {
			t.Errorf("%s: %d left, want %d; %v", who, len(left), want, err)
		}
		for _, p := range left {
			p.Close()
		}
	}
}
