package azlocal

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mngr/internal/azlocal/instance"
)

// publicScript lives in a network of its own, where only its loopback exists, with a
// hosts file of its own.
const publicScript = `set -e
ip link set lo up
printf '127.0.0.1 localhost\n' > "$TMP/hosts"
mount --bind "$TMP/hosts" /etc/hosts
$PROGRAM local up --driver none --listen 127.0.0.1:443 --name management.azure.com --name login.microsoftonline.com
eval "$($PROGRAM local env --public)"
if curl -sS --max-time 20 https://management.azure.com/metadata/endpoints?api-version=2015-01-01; then echo 'reached without a hosts file'; exit 1; fi
$PROGRAM local env --hosts >> /etc/hosts
curl -fsS --max-time 20 https://management.azure.com/metadata/endpoints?api-version=2015-01-01 | grep -q '"loginEndpoint":"https://login.microsoftonline.com/adfs"'
if curl -sS --max-time 20 https://graph.microsoft.com/; then echo 'a name that was not given is served'; exit 1; fi
if curl -sS --max-time 20 --resolve graph.microsoft.com:443:127.0.0.1 https://graph.microsoft.com/; then echo 'the certificate has a name that was not given'; exit 1; fi
"$CLIENT"
`

// TestPublicNames lets curl and Microsoft's SDK for Go, in its default configuration,
// find a local Azure under Azure's own names, where nothing else can be reached.
func TestPublicNames(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("a network of its own needs root")
	}
	for _, tool := range []string{"unshare", "ip", "mount", "curl"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is missing", tool)
		}
	}
	p := buildProgram(t)
	client := filepath.Join(t.TempDir(), "client")
	if out, err := exec.Command("go", "build", "-o", client, "./testdata/publicclient").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	cmd := exec.CommandContext(within(t), "unshare", "--net", "--mount", "sh", "-c", publicScript)
	cmd.Env = append(os.Environ(), "MNGR_AZLOCAL_DIR="+p.dir, "PROGRAM="+p.path, "CLIENT="+client, "TMP="+t.TempDir())
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "made a group and removed it") {
		t.Fatalf("%v\n%s", err, out)
	}
	if p.status().Endpoint == "" {
		t.Error("status does not know the instance outside its network")
	}
}

// TestListenRefusals wants addresses and names refused before anything is written.
func TestListenRefusals(t *testing.T) {
	p := buildProgram(t)
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"--listen", "0.0.0.0:8443"}, "--reachable-from-elsewhere"},
		{[]string{"--listen", "192.0.2.1"}, "as root"},
		{[]string{"--listen", "[::]:443"}, "--reachable-from-elsewhere"},
		{[]string{"--listen", "localhost:443"}, "no address"},
		{[]string{"--listen", "127.0.0.1:0"}, "no port"},
		{[]string{"--listen", "127.0.0.1:443", "--name", "*.azure.com"}, "no DNS name"},
		{[]string{"--listen", "127.0.0.1:443", "--name", "127.0.0.1"}, "no DNS name"},
		{[]string{"--name", "management.azure.com"}, "--listen"},
	} {
		_, problems, err := p.run(append([]string{"up", "--driver", "none"}, c.args...)...)
		if err == nil || !strings.Contains(problems, c.says) {
			t.Errorf("%v: %v, %q", c.args, err, problems)
		}
	}
	if _, err := os.Stat(filepath.Join(p.dir, "instance.json")); !os.IsNotExist(err) {
		t.Errorf("a refused up left an instance: %v", err)
	}
}

// TestAuthority looks at what the certificates vouch for when names come and go. A copy of
// the first authority stays good for loopback.
func TestAuthority(t *testing.T) {
	inst, err := instance.Create(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	old := authority(t, inst, now)
	inst.Faces.Names = []string{"management.azure.com"}
	inst.Faces.Listen = nil
	if !inst.NewAuthority() {
		t.Error("new names need no new authority")
	}
	renewed := authority(t, inst, now)
	keys, err := inst.Keys(now)
	if err != nil {
		t.Fatal(err)
	}
	leaf := func(name string) *x509.Certificate {
		cert, err := keys.TLS.GetCertificate(&tls.ClientHelloInfo{ServerName: name})
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := x509.ParseCertificate(cert.Certificate[0])
		if err != nil {
			t.Fatal(err)
		}
		return parsed
	}
	verify := func(roots *x509.CertPool, name string) error {
		_, err := leaf(name).Verify(x509.VerifyOptions{Roots: roots, DNSName: name, CurrentTime: now})
		return err
	}
	if err := verify(renewed, "management.azure.com"); err != nil {
		t.Error(err)
	}
	if verify(old, "management.azure.com") == nil {
		t.Error("the earlier authority vouches for a later name")
	}
	for _, roots := range []*x509.CertPool{old, renewed} {
		if err := verify(roots, "localhost"); err != nil {
			t.Error(err)
		}
	}
	if verify(renewed, "login.microsoftonline.com") == nil {
		t.Error("a name that was not given is vouched for")
	}
	inst.Faces.Names = nil
	if !inst.NewAuthority() {
		t.Error("an authority keeps names that are gone")
	}
}

func authority(t *testing.T, inst *instance.Instance, now time.Time) *x509.CertPool {
	t.Helper()
	if _, err := inst.Keys(now); err != nil {
		t.Fatal(err)
	}
	pem, err := os.ReadFile(inst.Path("ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	return pool
}

// TestClockSetBack wants certificates that are good when the clock is a week behind, and
// new ones when it is further behind than those it has.
func TestClockSetBack(t *testing.T) {
	inst, err := instance.Create(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	authority(t, inst, now)
	for _, back := range []time.Duration{7 * 24 * time.Hour, 20000 * time.Hour} {
		then := now.Add(-back)
		keys, err := inst.Keys(then)
		if err != nil {
			t.Fatal(err)
		}
		cert, err := keys.TLS.GetCertificate(&tls.ClientHelloInfo{ServerName: "localhost"})
		if err != nil {
			t.Fatal(err)
		}
		leaf, err := x509.ParseCertificate(cert.Certificate[0])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := leaf.Verify(x509.VerifyOptions{Roots: authority(t, inst, then), DNSName: "localhost", CurrentTime: then}); err != nil {
			t.Errorf("%s ago: %v", back, err)
		}
	}
}

// TestDamagedFiles wants a problem with a remedy for each file that cannot be used.
func TestDamagedFiles(t *testing.T) {
	p := buildProgram(t)
	p.must("up", "--driver", "none")
	p.must("down")
	for _, name := range []string{"instance.json", "ca.key", "ca.pem", "entra.key", "server.key", "client_secret", "store.log"} {
		whole, err := os.ReadFile(filepath.Join(p.dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(p.dir, name), append([]byte("xx\nyy\n"), whole[min(len(whole), 60):]...), 0o600); err != nil {
			t.Fatal(err)
		}
		if name == "client_secret" {
			if err := os.Truncate(filepath.Join(p.dir, name), 0); err != nil {
				t.Fatal(err)
			}
		}
		_, problems, err := p.run("up")
		first, remedy, _ := strings.Cut(strings.TrimSpace(problems[max(0, strings.LastIndex(problems, "Error:")):]), "\n")
		if err == nil || !strings.Contains(first, "damaged") || !strings.Contains(remedy, "restore") {
			t.Errorf("%s: %v\n%s", name, err, problems)
		}
		if err := os.WriteFile(filepath.Join(p.dir, name), whole, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p.must("up")
}
