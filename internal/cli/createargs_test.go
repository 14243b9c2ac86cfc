package cli

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"mngr/internal/fleet"
	"mngr/internal/ssh"
)

func TestBuildArgs(t *testing.T) {
	tests := []struct {
		args []string
		want fleet.CreateOptions
		ok   bool
	}{
		{[]string{"--azure-region=eastus"}, fleet.CreateOptions{Region: "eastus"}, true},
		{[]string{"--azure-region=a", "--azure-region=b"}, fleet.CreateOptions{Region: "b"}, true},
		{[]string{"--azure-vm-size=X --azure-spot"}, fleet.CreateOptions{Size: "X", Spot: true}, true},
		{[]string{"--azure-spot=x"}, fleet.CreateOptions{}, false},
		{[]string{"--azure-vm-size", "X"}, fleet.CreateOptions{}, false},
		{[]string{"--vps-plan=x"}, fleet.CreateOptions{}, false},
		{[]string{"--file=Dockerfile"}, fleet.CreateOptions{}, false},
		{[]string{"'--azure-spot"}, fleet.CreateOptions{}, false},
	}
	for _, tt := range tests {
		var got fleet.CreateOptions
		err := buildArgs(&got, tt.args)
		if (err == nil) != tt.ok {
			t.Errorf("%q: %v, want ok %v", tt.args, err, tt.ok)
		}
		if diff := cmp.Diff(tt.want, got); tt.ok && diff != "" {
			t.Errorf("%q: %s", tt.args, diff)
		}
	}
}

// Whatever is quoted for a shell comes back as one word.
func TestSplitWordsUndoesQuote(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOf(rapid.String()).Draw(t, "words")
		line := ""
		for _, w := range words {
			line += ssh.Quote(w) + " "
		}
		got, err := splitWords(line)
		if err != nil {
			t.Fatal(err)
		}
		if len(words) == 0 {
			words = nil
		}
		if diff := cmp.Diff(words, got); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestExecLine(t *testing.T) {
	tests := []struct {
		args  []string
		dash  int
		names []string
		line  string
	}{
		{[]string{"a", "ls -la"}, -1, []string{"a"}, "ls -la"},
		{[]string{"a", "b", "ls"}, -1, []string{"a", "b"}, "ls"},
		{[]string{"a", "ls", "-la", "my file"}, 1, []string{"a"}, "ls -la 'my file'"},
		{[]string{"a", "echo $HOME"}, 1, []string{"a"}, "echo $HOME"},
		{[]string{"a", "ls"}, 2, []string{"a"}, "ls"},
		{[]string{"ls", "-la"}, 0, []string{}, "ls -la"},
	}
	for _, tt := range tests {
		names, line := execLine(tt.args, tt.dash)
		if diff := cmp.Diff(tt.names, names); diff != "" || line != tt.line {
			t.Errorf("execLine(%q, %d) = %q, %q; want %q, %q", tt.args, tt.dash, names, line, tt.names, tt.line)
		}
	}
}

func TestParseDuration(t *testing.T) {
	for in, want := range map[string]time.Duration{
		"0": 0, "90": 90 * time.Second, "90s": 90 * time.Second, "1h30m": 90 * time.Minute,
		"7d": 168 * time.Hour, "1d2h": 26 * time.Hour, "1H": time.Hour,
	} {
		if got, err := parseDuration(in); err != nil || got != want {
			t.Errorf("parseDuration(%q) = %s, %v; want %s", in, got, err, want)
		}
	}
	for _, in := range []string{"", "-1", "-1h", "x", "1x", "d", "1d-2h"} {
		if got, err := parseDuration(in); err == nil {
			t.Errorf("parseDuration(%q) = %s, want an error", in, got)
		}
	}
}
