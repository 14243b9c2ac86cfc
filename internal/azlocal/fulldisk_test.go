package azlocal

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"mngr/internal/azlocal/instance"
)

// TestFullDisk fills the disk of a local Azure: what does not fit is refused with a 500 and
// leaves nothing, everything else holds, also over a kill, and with room it goes on.
func TestFullDisk(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("a small disk needs root")
	}
	p := buildProgram(t)
	disk := t.TempDir()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=3m,mode=700"); err != nil {
		t.Skipf("no file system can be mounted: %v", err)
	}
	t.Cleanup(func() {
		p.run("reset", "--force")
		if err := syscall.Unmount(disk, 0); err != nil {
			t.Error(err)
		}
	})
	p.dir = filepath.Join(disk, "azlocal")
	p.must("up", "--driver", "none")
	inst, err := instance.Load(p.dir)
	if err != nil {
		t.Fatal(err)
	}
	c := newCaller(t, inst)
	c.prepare()
	group := func(name string) string {
		return "/subscriptions/" + inst.Subscription + "/resourceGroups/" + name + groupVersion
	}
	var made []string
	refused := ""
	for i := 0; refused == ""; i++ {
		name := fmt.Sprint("group-", i)
		status, answer, err := c.do(t.Context(), "PUT", group(name), map[string]any{"location": "eastus", "tags": map[string]string{"fill": strings.Repeat("x", 250), "more": strings.Repeat("y", 250)}})
		switch {
		case err == nil && status == http.StatusCreated:
			made = append(made, name)
		case err == nil && status == http.StatusInternalServerError && strings.Contains(string(answer), `"InternalServerError"`):
			refused = name
		default:
			t.Fatalf("%s: %d %v %s", name, status, err, answer)
		}
		if i > 20000 {
			t.Fatal("the disk is never full")
		}
	}
	t.Logf("%d groups fitted", len(made))
	check := func() {
		t.Helper()
		for _, name := range []string{made[0], made[len(made)/2], made[len(made)-1]} {
			c.must("GET", group(name), nil)
		}
		if status, _, err := c.do(t.Context(), "GET", group(refused), nil); err != nil || status != http.StatusNotFound {
			t.Errorf("a refused group: %d %v", status, err)
		}
	}
	check()
	p.kill()
	if _, problems, err := p.run("up"); err == nil {
		check()
	} else if !strings.Contains(problems, "no space left") {
		t.Errorf("on a full disk: %v\n%s", err, problems)
	}
	// Room comes back.
	if err := syscall.Mount("tmpfs", disk, "tmpfs", syscall.MS_REMOUNT, "size=30m"); err != nil && !errors.Is(err, syscall.EBUSY) {
		t.Fatal(err)
	}
	p.must("up")
	check()
	c.must("PUT", group(refused), map[string]any{"location": "eastus"})
}
