package ssh

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
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
		t.Skip("needs ssh")
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
