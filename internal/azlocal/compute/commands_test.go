package compute

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"mngr/internal/azlocal/doc"
	"mngr/internal/azlocal/machine"
)

// runWrapped runs a script as a guest does, below a directory of its own.
func runWrapped(t interface{ Fatal(...any) }, dir string, input doc.Object) string {
	cmd := exec.Command("/bin/sh", "-s")
	cmd.Stdin = strings.NewReader(strings.ReplaceAll(wrapScript(input), filepath.Dir(scriptFile), dir))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatal(err, string(out))
	}
	return string(out)
}

// TestWrapScript runs scripts with and without an interpreter of their own.
func TestWrapScript(t *testing.T) {
	parameters := []any{doc.Object{"name": "arg1", "value": "it's"}, doc.Object{"name": "who", "value": "$HOME `id`"}}
	for script, want := range map[string]string{
		"echo \"$1|$2|$arg1|$who\"":         "it's|$HOME `id`|it's|$HOME `id`\n",
		"#!/bin/sh -e\necho $#; cat":        "2\n",
		"cat <<EOF\n$1\nEOF\necho \"\\$x\"": "it's\n$x\n",
	} {
		if got := runWrapped(t, t.TempDir(), doc.Object{"script": script, "parameters": parameters}); got != want {
			t.Errorf("%q: got %q, want %q", script, got, want)
		}
	}
}

// TestWrapScriptParameters checks that any value reaches the script unchanged.
func TestWrapScriptParameters(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.StringMatching(`[ -~\n\t]*`).Draw(t, "value")
		got := runWrapped(t, dir, doc.Object{"script": "printf '%s|%s' \"$1\" \"$v\"", "parameters": []any{doc.Object{"name": "v", "value": value}}})
		if got != value+"|"+value {
			t.Fatalf("got %q, want %q twice", got, value)
		}
	})
}

// TestCommandOutput keeps the end of what a script wrote.
func TestCommandOutput(t *testing.T) {
	long := strings.Repeat("x", 2*commandTail) + "END"
	message := commandOutput(machine.Result{Code: 3, Stdout: []byte(long), Stderr: []byte("bad\xff")}).List("value")[0].Str("message")
	if !strings.Contains(message, "xEND\n[stderr]\nbad\uFFFD") || len(message) > commandTail+100 {
		t.Errorf("%d bytes: …%q", len(message), message[len(message)-60:])
	}
}
