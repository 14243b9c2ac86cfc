package hostcmd

import (
	"context"
	"errors"
	"strings"
	"testing"
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
