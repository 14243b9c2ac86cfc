package azlocal

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"mngr/internal/azlocal/instance"
)

// program is the command built for these tests, run as a user would.
type program struct {
	t    testing.TB
	path string
	dir  string
}

func buildProgram(t testing.TB) *program {
	t.Helper()
	p := &program{t: t, path: filepath.Join(t.TempDir(), "azlocal"), dir: filepath.Join(t.TempDir(), strings.Repeat("deep/", 25))}
	if out, err := exec.Command("go", "build", "-o", p.path, "./testdata/program").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	t.Cleanup(func() { p.run("reset", "--force") })
	return p
}

func (p *program) run(args ...string) (stdout, stderr string, err error) {
	p.t.Helper()
	cmd := exec.Command(p.path, append([]string{"local"}, args...)...)
	cmd.Env = append(os.Environ(), "MNGR_AZLOCAL_DIR="+p.dir)
	var out, problems bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problems
	err = cmd.Run()
	return out.String(), problems.String(), err
}

func (p *program) must(args ...string) string {
	p.t.Helper()
	out, problems, err := p.run(args...)
	if err != nil {
		p.t.Fatalf("%v: %v\n%s", args, err, problems)
	}
	return out
}

func (p *program) status() Status {
	p.t.Helper()
	var st Status
	if err := json.Unmarshal([]byte(p.must("status", "--format", "json")), &st); err != nil {
		p.t.Fatal(err)
	}
	return st
}

// pid is the daemon's process id.
func (p *program) pid() int { return runningPID(filepath.Join(p.dir, "pid")) }

// TestCommand starts, kills, restarts and removes a real daemon. The state directory is
// deeper than a socket's path may be.
func TestCommand(t *testing.T) {
	p := buildProgram(t)
	if st := p.status(); st.Running {
		t.Fatalf("running before up: %+v", st)
	}
	if _, _, err := p.run("up", "--driver", "no-such-driver"); err == nil {
		t.Fatal("an unknown driver was taken")
	}
	p.must("up", "--driver", "none", "--unknown", "inline-tags=absent")
	first := p.status()
	if !first.Running || !first.Ready || first.Switches["inline-tags"] != "absent" {
		t.Fatalf("status: %+v", first)
	}
	inst, err := instance.Load(p.dir)
	if err != nil {
		t.Fatal(err)
	}
	l := &local{t: t, inst: inst}
	ctx := within(t)
	c := l.sdk(l.credential())
	c.prepare(ctx)
	create, err := c.vms.BeginCreateOrUpdate(ctx, "rg", "vm", c.machine(nil), nil)
	done(ctx, t, create, err)

	p.must("up") // a second one changes nothing
	if again := p.status(); again.PID != first.PID {
		t.Fatalf("up started another daemon: %d, %d", first.PID, again.PID)
	}
	if _, _, err := p.run("up", "--unknown", "no-such-switch=x"); err == nil {
		t.Fatal("an unknown switch was taken")
	}
	if err := syscall.Kill(first.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	for p.status().Running {
		if ctx.Err() != nil {
			t.Fatal("the daemon did not die")
		}
	}
	p.must("up")
	second := p.status()
	if second.Endpoint != first.Endpoint || len(second.VMs) != 1 || second.VMs[0].Power != "running" || len(second.Billed) != 3 {
		t.Fatalf("after kill -9: %+v", second)
	}
	if _, err := l.sdk(l.credential()).vms.Get(ctx, "rg", "vm", nil); err != nil {
		t.Fatalf("same authority, secret and port: %v", err)
	}
	p.must("down")
	if st := p.status(); st.Running || st.Endpoint != first.Endpoint {
		t.Fatalf("after down: %+v", st)
	}
	p.must("up")
	if st := p.status(); len(st.VMs) != 1 || st.VMs[0].Power != "running" {
		t.Fatalf("after down and up: %+v", st)
	}
	for _, name := range []string{"client.json", "client_secret", "store.log", "ca.key", "entra.key", "activity.jsonl", "control.sock", "daemon.log"} {
		info, err := os.Stat(filepath.Join(p.dir, name))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, err, info)
		}
	}
	for _, name := range []string{"store.log", "activity.jsonl", "daemon.log"} {
		data, err := os.ReadFile(filepath.Join(p.dir, name))
		if err != nil || bytes.Contains(data, []byte(l.secret())) {
			t.Errorf("%s: %v, or it holds the secret", name, err)
		}
	}
	p.must("reset", "--force")
	if _, err := os.Stat(p.dir); !os.IsNotExist(err) {
		t.Fatalf("after reset: %v", err)
	}
}

// TestSetTogether sets different things at once; none is lost, neither in the daemon nor
// for its next start.
func TestSetTogether(t *testing.T) {
	p := buildProgram(t)
	p.must("up", "--driver", "none")
	want := map[string]string{}
	var setters sync.WaitGroup
	for _, name := range []string{"eastus", "eastus2", "westus", "westus2", "westus3", "centralus", "northeurope", "westeurope", "uksouth", "swedencentral"} {
		region := "quota.cores@" + name
		want[region] = "7"
		setters.Go(func() {
			if _, problems, err := p.run("set", region+"=7"); err != nil {
				t.Errorf("%s: %v\n%s", region, err, problems)
			}
		})
	}
	setters.Wait()
	inst, err := instance.Load(p.dir)
	if err != nil || !maps.Equal(inst.Settings, want) {
		t.Errorf("%d of %d are kept: %v, %v", len(inst.Settings), len(want), inst.Settings, err)
	}
}
