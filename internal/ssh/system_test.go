package ssh

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"mngr/internal/agent"
)

// hostileConfig is what users write for servers that they trust.
const hostileConfig = `Host *
  ForwardAgent yes
  ForwardX11 yes
  ForwardX11Trusted yes
  RemoteForward 9000 localhost:22
  LocalForward 9001 localhost:22
  DynamicForward 9002
  Tunnel yes
  ControlMaster auto
  ControlPath /tmp/cm-%r@%h
  StrictHostKeyChecking no
  UserKnownHostsFile /dev/null
  GlobalKnownHostsFile /etc/ssh/other
  VerifyHostKeyDNS yes
  UpdateHostKeys yes
  NoHostAuthenticationForLocalhost yes
  GSSAPIDelegateCredentials yes
  PreferredAuthentications keyboard-interactive,password
  ProxyJump bastion
`

// No setting of the user's own lets the other side borrow something of this machine, or
// show another key than the pinned one. How it is reached stays theirs.
func TestUserConfigurationStandsBack(t *testing.T) {
	if _, err := exec.LookPath("ssh"); err != nil {
		t.Skip("ssh is missing (openssh-client)")
	}
	config := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(config, []byte(hostileConfig), 0o600); err != nil {
		t.Fatal(err)
	}
	effective := func(args ...string) map[string]string {
		t.Helper()
		out, err := exec.Command("ssh", append(append([]string{"-G", "-F", config}, args...), "root@127.0.0.1")...).Output()
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		for line := range strings.Lines(string(out)) {
			key, value, _ := strings.Cut(strings.TrimSpace(line), " ")
			got[key] = value
		}
		return got
	}
	want := map[string]string{
		"forwardagent": "no", "forwardx11": "no", "tunnel": "false", "controlmaster": "false",
		"clearallforwardings": "yes", "stricthostkeychecking": "true", "userknownhostsfile": "/pins/known_hosts",
		"globalknownhostsfile": "/dev/null", "verifyhostkeydns": "false", "updatehostkeys": "false",
		"nohostauthenticationforlocalhost": "no", "preferredauthentications": "publickey", "identityagent": "none",
	}
	absent := []string{"remoteforward", "localforward", "dynamicforward"}
	system := System{Target: Target{Address: "127.0.0.1", Port: 2222}, KeyPath: "/key", KnownHosts: "/pins/known_hosts"}
	control, got := effective(), effective(system.Options()...)
	for key, value := range want {
		if got[key] != value {
			t.Errorf("%s is %q, want %q", key, got[key], value)
		}
		if control[key] == value {
			t.Errorf("%s is %q without mngr's options too: the test shows nothing", key, value)
		}
	}
	for _, key := range absent {
		if control[key] == "" {
			t.Errorf("%s: the test shows nothing", key)
		}
	}
	for key, wrong := range map[string]string{"controlpath": "/tmp", "gssapidelegatecredentials": "yes"} {
		if control[key] == "" && key != "gssapidelegatecredentials" {
			t.Errorf("%s: the test shows nothing", key)
		}
		if strings.HasPrefix(got[key], wrong) {
			t.Errorf("%s is %q", key, got[key])
		}
	}
	if got["proxyjump"] != "bastion" {
		t.Errorf("the way to the server is the user's: %q", got["proxyjump"])
	}
}

// Somebody between this machine and the host shows a key of their own: the system's ssh
// refuses them like mngr's own dial does, and works where the key is the pinned one.
func TestSystemSSHRefusesAnotherKey(t *testing.T) {
	if _, err := exec.LookPath("ssh"); err != nil {
		t.Skip("ssh is missing (openssh-client)")
	}
	client, err := Identity{Base: t.TempDir()}.Ensure("azure")
	if err != nil {
		t.Fatal(err)
	}
	target := testServer(t, client.AuthorizedKey)
	stranger, err := GenerateKey("")
	if err != nil {
		t.Fatal(err)
	}
	// Even one who has talked the user into trusting everybody.
	config := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(config, []byte("Host *\n  StrictHostKeyChecking no\n  UserKnownHostsFile /dev/null\n  NoHostAuthenticationForLocalhost yes\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		pinned string
		code   int
	}{
		"the pinned key": {target.HostKey, 7},
		"another key":    {stranger.AuthorizedKey, 255},
		"no key":         {"", 255},
	} {
		pins, id := Pins{Base: t.TempDir()}, agent.NewHostID()
		hosts, err := pins.WriteKnownHosts(id, target.Address, target.Port, agent.HostKeys{Container: test.pinned})
		if err != nil {
			t.Fatal(err)
		}
		system := System{Target: target, KeyPath: client.Path, KnownHosts: hosts}
		args := append([]string{"-F", config}, system.Args("anything", false, nil)[1:]...)
		out, err := exec.CommandContext(t.Context(), "ssh", args...).CombinedOutput()
		exit, ok := errors.AsType[*exec.ExitError](err)
		if !ok || exit.ExitCode() != test.code {
			t.Errorf("%s: %v, want code %d: %s", name, err, test.code, out)
		}
		if refused := strings.Contains(string(out), "verification failed"); refused != (test.code == 255) {
			t.Errorf("%s: ssh said %s", name, out)
		}
		if kept, _ := os.ReadFile(hosts); strings.Count(string(kept), "\n") > 1 {
			t.Errorf("%s: the pinned file became %s", name, kept)
		}
	}
}
