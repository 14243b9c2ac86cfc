package hostsetup

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"mngr/internal/agent"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// testKey is a key pair made for these tests and used nowhere else.
const testKey = `-----BEGIN OPENSSH PRIVATE KEY-----
b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW
QyNTUxOQAAACBS3Iamaykjah0MMZ+9MXL6CzbpjYiQAOfqyA83z80sKwAAAIgOFHEDDhRx
AwAAAAtzc2gtZWQyNTUxOQAAACBS3Iamaykjah0MMZ+9MXL6CzbpjYiQAOfqyA83z80sKw
AAAEDSdpboPwte1AEs6Qu5DfeFx+PwkFi+h6skC1QnmRlN+lLchqZrKSNqHQwxn70xcvoL
NumNiJAA5+rIDzfPzSwrAAAAAAECAwQF
-----END OPENSSH PRIVATE KEY-----
`

func params() Params {
	return Params{
		HostID:         "host-0123456789abcdef0123456789abcdef",
		HostName:       "my-agent",
		Provider:       "azure",
		AuthorizedKeys: []string{"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIClientClientClientClientClientClientClientCl me@laptop"},
		HostKey:        HostKey{Private: []byte(testKey), Public: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFLchqZrKSNqHQwxn70xcvoLNumNiJAA5+rIDzfPzSwr"},
		ControlPlane: agent.ControlPlane{
			Endpoint:     "https://management.azure.com",
			Audience:     "https://management.azure.com/",
			SubnetPrefix: "10.42.0.0/24",
			SelfStop:     true,
		},
	}
}

func local() Params {
	p := params()
	p.ControlPlane.Endpoint = "https://127.0.0.1:41234"
	p.ControlPlane.Audience = "https://management.core.windows.net/"
	p.ControlPlane.CACert = []byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
	p.ControlPlane.SelfStop = false
	p.DockerPackages = []string{"docker.io", "apparmor"}
	p.DeadMan = 20 * time.Minute
	p.AutoShutdown = time.Hour
	return p
}

func TestCloudInitGolden(t *testing.T) {
	for name, p := range map[string]Params{"azure": params(), "local": local()} {
		t.Run(name, func(t *testing.T) {
			got, err := CloudInit(p)
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join("testdata", "cloud-config-"+name+".yaml")
			if *update {
				if err := os.WriteFile(path, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Errorf("-want +got (rewrite with -update if meant):\n%s", diff)
			}
			if len(got) > 20<<10 {
				t.Errorf("%d bytes: a quarter of what Azure takes is the budget", len(got))
			}
		})
	}
}

// What a YAML reader makes of the document must be what we put in, byte for byte.
func TestCloudInitSurvivesYAML(t *testing.T) {
	p := local()
	got, err := CloudInit(p)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(got, []byte("#cloud-config\n")) {
		t.Errorf("no #cloud-config header: %.40q", got)
	}
	var read cloudConfig
	if err := yaml.UnmarshalWithOptions(got, &read, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	if read.SSHKeys.Private != testKey {
		t.Errorf("private key changed: %q", read.SSHKeys.Private)
	}
	if diff := cmp.Diff(p.files(), read.WriteFiles); diff != "" {
		t.Errorf("files changed:\n%s", diff)
	}
	for _, f := range read.WriteFiles {
		if strings.Contains(f.Content, "@") && strings.HasSuffix(f.Path, ".timer") {
			t.Errorf("%s: placeholder left: %s", f.Path, f.Content)
		}
	}
}

func TestCloudInitRefuses(t *testing.T) {
	tests := map[string]func(*Params){
		"no host id":           func(p *Params) { p.HostID = "" },
		"no authorized key":    func(p *Params) { p.AuthorizedKeys = nil },
		"two lines in a key":   func(p *Params) { p.AuthorizedKeys = []string{"ssh-ed25519 AAAA\nssh-ed25519 BBBB"} },
		"forced command":       func(p *Params) { p.AuthorizedKeys = []string{`command="x" ssh-ed25519 AAAA`} },
		"rsa host key":         func(p *Params) { p.HostKey.Public = "ssh-rsa AAAA" },
		"no private key":       func(p *Params) { p.HostKey.Private = []byte("secret") },
		"option as package":    func(p *Params) { p.DockerPackages = []string{"--allow-unauthenticated"} },
		"two packages in one":  func(p *Params) { p.DockerPackages = []string{"a b"} },
		"plain http":           func(p *Params) { p.ControlPlane.Endpoint = "http://management.azure.com" },
		"line in the endpoint": func(p *Params) { p.ControlPlane.Endpoint = "https://a/\nX=1" },
		"no audience":          func(p *Params) { p.ControlPlane.Audience = "" },
		"subnet is no prefix":  func(p *Params) { p.ControlPlane.SubnetPrefix = "10.0.0.0" },
		"negative timer":       func(p *Params) { p.AutoShutdown = -time.Second },
		"too large":            func(p *Params) { p.ControlPlane.CACert = bytes.Repeat([]byte("x\n"), 33<<10) },
	}
	if _, err := CloudInit(params()); err != nil {
		t.Fatalf("positive control: %v", err)
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			p := params()
			change(&p)
			if _, err := CloudInit(p); err == nil {
				t.Error("accepted")
			}
		})
	}
}

// A machine whose time is up deallocates itself; only one that Azure does not let powers
// off, and only after the grace.
func TestAutoShutdown(t *testing.T) {
	has := func(p Params, path string) string {
		for _, f := range p.files() {
			if strings.HasSuffix(f.Path, path) {
				return f.Content
			}
		}
		return ""
	}
	p := local()
	for path, want := range map[string]string{
		"mngr-autoshutdown.timer":   "OnBootSec=3600s",
		"mngr-autoshutdown.service": "mngr-deallocate.service",
		"mngr-poweroff.timer":       "OnBootSec=4500s",
		"mngr-poweroff.service":     "ConditionPathExists=" + RunDir + "/" + FileRefused,
		"host.env":                  EnvAutoShutdown + "=3600\n",
	} {
		if got := has(p, path); !strings.Contains(got, want) {
			t.Errorf("%s lacks %q: %q", path, want, got)
		}
	}
	timers := []string{"mngr-autoshutdown.timer", "mngr-poweroff.timer"}
	for _, unit := range timers {
		if !slices.Contains(p.unitsAtOnce(), unit) {
			t.Errorf("%s is not enabled", unit)
		}
	}
	p.AutoShutdown = 0
	for _, path := range timers {
		if got := has(p, path); got != "" || slices.Contains(p.unitsAtOnce(), path) {
			t.Errorf("a machine without a lifetime has %s: %q", path, got)
		}
	}
}
