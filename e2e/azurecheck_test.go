package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"mngr/e2e/rig"
)

// TestAzureCheck runs what `make azure-check` runs against two local Azures that answer
// every question differently, and sees that the table tells their answers and that
// nothing is left.
func TestAzureCheck(t *testing.T) {
	mngr := rig.Binary(t)
	check := filepath.Join(t.TempDir(), "azure-check")
	if out, err := exec.Command("go", "build", "-o", check, "../cmd/azure-check").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	for _, answers := range []map[string]string{
		{
			"inline-ip-sku": "accepted", "inline-nic-ids": "while-creating", "inline-tags": "kept", "tag-write-during-operation": "preempts",
			"assignment-after-vm": "survives", "list-expand-instanceview": "refused", "deallocated-quota": "count",
		},
		{
			"inline-ip-sku": "refused", "inline-nic-ids": "when-succeeded", "inline-tags": "absent", "tag-write-during-operation": "accepted",
			"assignment-after-vm": "removed", "list-expand-instanceview": "accepted", "deallocated-quota": "free",
		},
	} {
		t.Run(answers["inline-ip-sku"], func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "azlocal")
			t.Cleanup(func() { reset(t, mngr, dir) })
			var unknown []string
			for name, answer := range answers {
				unknown = append(unknown, name+"="+answer)
			}
			run := func(binary string, args ...string) string {
				cmd := exec.Command(binary, args...)
				cmd.Env = append(os.Environ(), "MNGR_AZLOCAL_DIR="+dir, "HOME="+t.TempDir())
				out, err := cmd.CombinedOutput()
				if err != nil {
					t.Fatalf("%s %s: %v\n%s", filepath.Base(binary), strings.Join(args, " "), err, out)
				}
				return string(out)
			}
			run(mngr, "azure", "local", "up", "--driver", "none", "--unknown", strings.Join(unknown, ","))
			out := run(check, "-local", "-mngr", mngr)
			_, table, _ := strings.Cut(out, "SWITCH ")
			for name, want := range answers {
				if !hasAnswer(table, name, want) {
					t.Errorf("%s: want %q in\n%s", name, want, table)
				}
			}
			if !strings.Contains(table, "machines of the driver none have no guest") {
				t.Errorf("what was left out is not said:\n%s", table)
			}
			if left := run(mngr, "azure", "local", "status"); !strings.Contains(left, "(0 things billed)") {
				t.Errorf("something is left:\n%s", left)
			}
		})
	}
}

// hasAnswer finds a switch's line and the answer in it, between the blanks of its columns.
func hasAnswer(table, name, answer string) bool {
	for line := range strings.Lines(table) {
		if strings.HasPrefix(line, name+" ") {
			return strings.Contains(line, "  "+answer+"  ")
		}
	}
	return false
}
