//go:build !previous

package contract

import (
	"encoding/json"
	"os"
	"os/exec"
	"testing"
)

// TestPython gives a program with Microsoft's SDK for Python what env exports, and nothing
// besides. Debian's azure-cli brings the SDK, of which there is one version: once is enough.
func TestPython(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/usr/bin/az"); err != nil {
		t.Skip("scripts/setup test installs azure-cli, and with it Microsoft's SDK for Python:", err)
	}
	l := start(t)
	var vars map[string]string
	if err := json.Unmarshal(l.run("azure", "local", "env", "--format", "json"), &vars); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(within(t), "/usr/bin/python3", "stranger/stranger.py")
	cmd.Env = []string{"HOME=" + t.TempDir()}
	for name, value := range vars {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	says(t, cmd, "machine is: VM running", "machine is: VM deallocated", "machine deleted: ResourceNotFound", "group deleted: True")
}
