package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"mngr/internal/agent"
	"mngr/internal/dockerbuild"
	"mngr/internal/fleet"
)

func TestBuildArgs(t *testing.T) {
	tests := []struct {
		args []string
		want fleet.CreateOptions
	}{
		{nil, fleet.CreateOptions{}},
		{[]string{"--azure-region=eastus"}, fleet.CreateOptions{Region: "eastus"}},
		{[]string{"--azure-region=a", "--azure-region=b"}, fleet.CreateOptions{Region: "b"}},
		{[]string{"--azure-region=a", "--azure-region="}, fleet.CreateOptions{}}, // the default
		{[]string{"--azure-vm-size=X --azure-spot"}, fleet.CreateOptions{Size: "X", Spot: true}},
		{[]string{"'--azure-vm-size=X Y'"}, fleet.CreateOptions{Size: "X Y"}},
		{[]string{"--git-depth="}, fleet.CreateOptions{}},
	}
	for _, tt := range tests {
		var got fleet.CreateOptions
		if err := buildArgs(&got, tt.args); err != nil {
			t.Errorf("%q: %v", tt.args, err)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%q: %s", tt.args, diff)
		}
	}
}

// Ours are taken from wherever they stand; all others go to docker build in their order.
func TestDockerBuildArgs(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte("FROM scratch"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, ".git"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	var got fleet.CreateOptions
	if err := buildArgs(&got, []string{"--no-cache --azure-vm-size=X --git-depth=2", "--build-arg 'A=b c' .", "--azure-spot"}); err != nil {
		t.Fatal(err)
	}
	want := fleet.CreateOptions{Size: "X", Spot: true, Build: &fleet.Build{Spec: dockerbuild.Spec{
		Context: dir, Args: []string{"--no-cache=true", "--build-arg=A=b c"}, GitDepth: 2,
	}}}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(fleet.Build{}, "Output", "Sent")); diff != "" {
		t.Error(diff)
	}
}

func TestBuildArgsRefuses(t *testing.T) {
	for args, want := range map[string]string{ // cause, or hint
		"--azure-spot=x":             "takes no value",
		"--azure-vm-size X":          "-b --azure-vm-size=X",
		"--azure-region":             "-b --azure-region=VALUE",
		"--azure-disk=1":             validBuildArgs,
		"--vps-plan=x":               "-b --azure-vm-size=x",
		"--vps-os=x":                 validBuildArgs,
		"--aws-region=x":             "provider aws",
		"--gcp-zone=x":               "provider gcp",
		"--modal-gpu=x":              "provider modal",
		"--git-depth=x":              "whole number",
		"--git-depth=0":              "whole number",
		"--git-depth=-1":             "whole number",
		"--git-depth 3":              "-b --git-depth=3",
		"--git-depth=3":              "no build context",
		"--file=Dockerfile":          "no build context",
		"'--azure-spot":              "quote without its end",
		`--azure-spot \`:             "backslash",
		"--network=host /nonesuch":   "network of the machine",
		"--azure-spot /nonesuch":     "does not exist",
		"--build-arg --azure-spot .": "no name of a build argument",
	} {
		var o fleet.CreateOptions
		err := buildArgs(&o, []string{args})
		if err == nil || !strings.Contains(err.Error()+agent.HintOf(err), want) {
			t.Errorf("%q: got %v (%s), want %s", args, err, agent.HintOf(err), want)
		}
	}
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
