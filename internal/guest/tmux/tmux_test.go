package tmux

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParsePane(t *testing.T) {
	tests := []struct {
		line string
		want Pane
		ok   bool
	}{
		{"12:%3:77:0:::1700000000:mngr-a:agent", Pane{ID: "%3", Server: 12, PID: 77, Activity: 1700000000, Session: "mngr-a", Window: "agent"}, true},
		{"12:%3:77:1:7::1:mngr-a:agent", Pane{ID: "%3", Server: 12, PID: 77, Dead: true, ExitCode: new(7), Activity: 1, Session: "mngr-a", Window: "agent"}, true},
		{"12:%3:77:1::9:1:mngr-a:agent", Pane{ID: "%3", Server: 12, PID: 77, Dead: true, ExitCode: new(137), Activity: 1, Session: "mngr-a", Window: "agent"}, true},
		{"12:%3:77:1:::1:mngr-a:x:y", Pane{ID: "%3", Server: 12, PID: 77, Dead: true, Activity: 1, Session: "mngr-a", Window: "x:y"}, true},
		{"1:%3:77:0:::1:mngr-a:agent", Pane{}, false},
		{"-1:%3:77:0:::1:mngr-a:agent", Pane{}, false},
		{"x", Pane{}, false},
		{"", Pane{}, false},
	}
	for _, tt := range tests {
		got, ok := parsePane(tt.line)
		if ok != tt.ok || cmp.Diff(tt.want, got) != "" {
			t.Errorf("%q: %v\n%s", tt.line, ok, cmp.Diff(tt.want, got))
		}
	}
}

func TestClassify(t *testing.T) {
	other := errors.New("exit status 1")
	for message, want := range map[string]error{
		"no server running on /tmp/tmux-0/default":                            errNoServer,
		"error connecting to /tmp/tmux-0/default (No such file or directory)": errNoServer,
		"no current target":          errNoServer,
		"can't find session: mngr-a": errNoSession,
		"":                           other,
	} {
		if got := classify(message, other); !errors.Is(got, want) {
			t.Errorf("%q: got %v", message, got)
		}
	}
	if got := classify("protocol version mismatch", other); got.Error() != "protocol version mismatch" {
		t.Errorf("got %v", got)
	}
}
