package hostcmd

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

func TestErrors(t *testing.T) {
	_, err := Run(t.Context(), "sh", "-c", "echo progress >&2; echo '/dev/stdin:1: Error: no such thing' >&2; echo '^' >&2; exit 3")
	failed, ok := errors.AsType[*Error](err)
	if !ok || failed.Code != 3 || err.Error() != "sh: exit 3: no such thing" {
		t.Errorf("%v", err)
	}
	if !Says(err, "NO SUCH") || Says(err, "such a") || Says(nil, "") {
		t.Error("Says is wrong")
	}
	if out, err := Feed(t.Context(), strings.NewReader("  in\n"), "cat"); err != nil || out != "in" {
		t.Errorf("%q, %v", out, err)
	}
	if _, err := Run(t.Context(), "no-such-tool-at-all"); err == nil {
		t.Error("a missing tool is no error")
	}
}

func TestCancel(t *testing.T) {
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	if _, err := Run(ctx, "sleep", "600"); !errors.Is(err, cause) {
		t.Errorf("%v, want %v", err, cause)
	}
}

func TestComplaint(t *testing.T) {
	tests := map[string]string{
		"W: old\nE: first\nE: second\n": "first",
		"one\ntwo\n":                    "two",
		"":                              "",
	}
	for stderr, want := range tests {
		if got := complaint(stderr); got != want {
			t.Errorf("%q: %q, want %q", stderr, got, want)
		}
	}
}

// TestFollow kills a process that follows a tool. The tool holds the pipe as long as it lives.
func TestFollow(t *testing.T) {
	if os.Getenv("HOSTCMD_FOLLOW") != "" {
		t.Fatal(Follow(t.Context(), os.Stdout, "sh", "-c", "echo begun; exec sleep 600"))
	}
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	follower := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestFollow$")
	follower.Env, follower.Stdout = append(os.Environ(), "HOSTCMD_FOLLOW=yes"), write
	if err := follower.Start(); err != nil {
		t.Fatal(err)
	}
	write.Close()
	if err := read.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	said := bufio.NewReader(read)
	if line, err := said.ReadString('\n'); err != nil || line != "begun\n" {
		t.Fatalf("%q, %v", line, err)
	}
	if err := errors.Join(follower.Process.Kill(), read.SetReadDeadline(time.Now().Add(10*time.Second))); err != nil {
		t.Fatal(err)
	}
	_ = follower.Wait() // it was killed
	if _, err := said.ReadByte(); err != io.EOF {
		t.Errorf("the tool lives on: %v", err)
	}
}
