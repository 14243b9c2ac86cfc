package azlocal

import (
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"mngr/internal/azlocal/bill"
	"mngr/internal/azlocal/instance"
)

// statusKeys is the contract of `status --format json`.
const statusKeys = "authority billed ca_file client_id client_secret_file cost driver driver_note endpoint faults pid profile ready running settings state_dir subscription_id switches tenant_id vms"

func keysOf(t *testing.T, text string) string {
	t.Helper()
	var all map[string]any
	if err := json.Unmarshal([]byte(text), &all); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return strings.Join(slices.Sorted(maps.Keys(all)), " ")
}

// TestStatusContract wants the same keys of an instance that is not there, is up, and is
// down; what a stranger needs from up and env; and a bill that outlives kill -9.
func TestStatusContract(t *testing.T) {
	p := buildProgram(t)
	if got := keysOf(t, p.must("status", "--format", "json")); got != statusKeys {
		t.Errorf("before up: %s", got)
	}
	if got := keysOf(t, p.must("up", "--driver", "none", "--format", "json")); got != statusKeys {
		t.Errorf("up: %s", got)
	}
	_, says, err := p.run("up")
	if err != nil || !strings.Contains(says, `eval "$(azlocal local env)"`) || !strings.Contains(says, "status --format json") {
		t.Errorf("up says: %s, %v", says, err)
	}
	st := p.status()
	if len(st.Billed) != 0 || st.Cost.PerHour != 0 || st.Cost.Unknown != 0 || len(st.Settings) == 0 || len(st.Switches) == 0 {
		t.Errorf("%+v", st)
	}
	inst, err := instance.Load(p.dir)
	if err != nil {
		t.Fatal(err)
	}
	l := &local{t: t, inst: inst}
	c, ctx := l.sdk(l.credential()), within(t)
	c.prepare(ctx)
	c.create(ctx)
	before := p.status()
	if len(before.Billed) != 3 || before.Cost.PerHour < 0.05 || before.Cost.Unknown != 1 {
		t.Errorf("%+v %+v", before.Billed, before.Cost)
	}
	p.must("fault", "add", "--on", "*", "--status", "500", "--match", "a=b")
	if err := syscall.Kill(before.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	await(ctx, t, "did the daemon die", func() bool { return !p.status().Running })
	p.must("up")
	after := p.status()
	if after.Cost.SoFar <= before.Cost.SoFar || after.Faults.Active != 1 || after.Faults.Unhit != 1 {
		t.Errorf("after kill -9: %+v %+v", after.Cost, after.Faults)
	}
	del, err := l.sdk(l.credential()).vms.BeginDelete(ctx, "rg", "vm", nil)
	done(ctx, t, del, err)
	await(ctx, t, "was nothing billed", func() bool { return len(p.status().Billed) == 0 })
	var r bill.Report
	if err := json.Unmarshal([]byte(p.must("bill", "--format", "json")), &r); err != nil || len(r.Resources) != 3 || r.USD < after.Cost.SoFar || r.PerHour != 0 {
		t.Errorf("bill: %v %+v", err, r)
	}
	if err := json.Unmarshal([]byte(p.must("bill", "--since", time.Now().UTC().Format(time.RFC3339Nano), "--format", "json")), &r); err != nil || len(r.Resources) != 0 || r.USD != 0 {
		t.Errorf("bill since now: %v %+v", err, r)
	}
	if out := p.must("bill"); !strings.Contains(out, "Standard_B2s") || !strings.Contains(out, "unknown") {
		t.Errorf("bill: %s", out)
	}
	p.environment(t, l)
	p.must("down")
	if got := keysOf(t, p.must("status", "--format", "json")); got != statusKeys {
		t.Errorf("down: %s", got)
	}
}

// environment wants env to say the same in both formats, and a shell to read it.
func (p *program) environment(t *testing.T, l *local) {
	t.Helper()
	var vars map[string]string
	if err := json.Unmarshal([]byte(p.must("env", "--format", "json")), &vars); err != nil {
		t.Fatal(err)
	}
	const want = "ARM_CLIENT_ID ARM_CLIENT_SECRET ARM_CLOUD_METADATA_URL ARM_METADATA_HOSTNAME ARM_SUBSCRIPTION_ID ARM_TENANT_ID " +
		"AZURE_AUTHORITY_HOST AZURE_CLIENT_ID AZURE_CLIENT_SECRET AZURE_CONFIG_DIR AZURE_RESOURCE_MANAGER_ENDPOINT AZURE_SUBSCRIPTION_ID AZURE_TENANT_ID " +
		"CURL_CA_BUNDLE MNGR_AZLOCAL_DIR REQUESTS_CA_BUNDLE SSL_CERT_FILE"
	if got := strings.Join(slices.Sorted(maps.Keys(vars)), " "); got != want {
		t.Errorf("env: %s", got)
	}
	sh := exec.Command("sh", "-c", p.must("env")+`printf %s "$AZURE_CLIENT_SECRET $ARM_METADATA_HOSTNAME $SSL_CERT_FILE"`)
	sh.Env = []string{}
	out, err := sh.Output()
	if err != nil || string(out) != l.secret()+" "+strings.TrimPrefix(l.inst.Endpoint(), "https://")+" "+l.inst.Path(instance.BundleFile) {
		t.Errorf("a shell reads %q: %v", out, err)
	}
	if at, err := os.Stat(vars["AZURE_CONFIG_DIR"]); err != nil || !at.IsDir() {
		t.Errorf("az would find no directory: %v", err)
	}
	bundle, err := os.ReadFile(vars["SSL_CERT_FILE"])
	own, err2 := os.ReadFile(l.inst.Path("ca.pem"))
	if err != nil || err2 != nil || !strings.Contains(string(bundle), strings.TrimSpace(string(own))) {
		t.Errorf("the bundle lacks the instance's authority: %v, %v", err, err2)
	}
}
