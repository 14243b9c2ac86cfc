package process

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"testing"
)

// start runs a process that is known by its argument.
func start(t *testing.T, name string) { startAs(t, name, nil) }

func startAs(t *testing.T, name string, who *syscall.Credential) {
	t.Helper()
	cmd := exec.Command("sh", "-c", "read line", name)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: who}
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

// TestForged leaves out a process with the right arguments that somebody else has started.
func TestForged(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root starts processes as somebody else")
	}
	name := t.Name() + t.TempDir()
	startAs(t, name, &syscall.Credential{Uid: 65534, Gid: 65534})
	for _, want := range []int{0, 1} {
		found, err := Find(named(name))
		if err != nil || len(found) != want {
			t.Errorf("found %d, want %d; %v", len(found), want, err)
		}
		for _, p := range found {
			p.Close()
		}
		if want == 0 {
			start(t, name)
		}
	}
}
