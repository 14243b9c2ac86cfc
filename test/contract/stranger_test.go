package contract

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestStranger gives a program of somebody else what status prints, and nothing besides.
func TestStranger(t *testing.T) {
	t.Parallel()
	l := start(t)
	program := filepath.Join(t.TempDir(), "stranger")
	if out, err := exec.Command("go", append(build(), "-o", program, "./stranger")...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	cmd := exec.CommandContext(within(t), program)
	cmd.Env = []string{"HOME=" + t.TempDir()}
	cmd.Stdin = bytes.NewReader(l.run("azure", "local", "status", "--format", "json"))
	says(t, cmd, "machine is: VM running", "machine is: VM deallocated", "machine deleted", "group deleted")
}

// says wants lines in what a program prints before it ends well.
func says(t *testing.T, cmd *exec.Cmd, lines ...string) {
	t.Helper()
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v", err)
	}
	for _, line := range lines {
		if !bytes.Contains(out, []byte(line+"\n")) {
			t.Errorf("no line %q in\n%s", line, out)
		}
	}
}
