package lifetest

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"mngr/internal/azlocal/machine"
)

// Run leads one machine through its life; the steps build on each other, because each
// boot costs seconds.
func Run(t *testing.T, maker Maker) {
	c := NewCloud(t, maker, 77)
	if err := c.Driver.Prepare(t.Context(), func(phase string) { t.Log(phase) }); err != nil {
		t.Fatal(err)
	}
	b := c.NewBox(t, 1, Baked())
	began := time.Now()
	if err := c.Driver.Create(t.Context(), b.Spec, b.Rules); err != nil {
		t.Fatal(err)
	}
	t.Log("provisioned after ", time.Since(began))
	steps := []struct {
		name string
		run  func(*testing.T, *Box)
	}{
		{"logins", testLogins},
		{"platform", testPlatform},
		{"packages", testPackages},
		{"docker", testDocker},
		{"rules", testRules},
		{"silence", testSilence},
		{"stop and start", testStopStart},
		{"reboot", testReboot},
		{"power off", testPowerOff},
		{"console and power cut", testConsole},
		{"neighbour", testNeighbour},
		{"recover", testRecover},
		{"delete", testDelete},
	}
	for _, step := range steps {
		if !t.Run(step.name, func(t *testing.T) { step.run(t, b) }) {
			t.Fatal("the steps after it need this one")
		}
	}
}

func testLogins(t *testing.T, b *Box) {
	b.Want(t, "hostname; whoami", "vm1\nroot")
	if out, code := b.ssh("azureuser", b.admin, "sudo -n id -u"); code != 0 || out != "0" {
		t.Errorf("the administrator's sudo: exit %d: %s", code, out)
	}
	if out, code := b.ssh("azureuser", b.root, "true"); code == 0 {
		t.Errorf("root's key logs the administrator in: %s", out)
	}
	b.Want(t, "cloud-init status --wait | tail -n 1; systemctl is-system-running --wait; systemctl --failed --quiet",
		"status: done\nrunning")
	b.Want(t, "cat /etc/from-custom-data; cat /root/runcmd.log; cat /var/lib/cloud/data/instance-id", "helloran\n"+b.Spec.VMID)
	b.Want(t, "ls /etc/ssh/ssh_host_*_key", "/etc/ssh/ssh_host_ed25519_key")
	b.Want(t, "ip -4 -o addr show dev eth0 | awk '{print $4}'; cat /sys/class/net/eth0/address", "10.0.0.4/24\n00:0d:3a:00:00:01")
}

func testPlatform(t *testing.T, b *Box) {
	b.Want(t, "curl -sS -m 60 http://169.254.169.254/metadata/instance", "imds of "+b.Spec.Key)
	b.Want(t, "curl -sS -m 60 http://"+b.ARMAddress().String(), "arm")
	for _, elsewhere := range []string{"http://169.254.1.1", "http://10.0.0.99"} {
		if out, code := b.ssh("root", b.root, "curl -sS -m 2 "+elsewhere); code != 28 {
			t.Errorf("%s: exit %d, want curl's timeout: %s", elsewhere, code, out)
		}
	}
}

func testPackages(t *testing.T, b *Box) {
	b.must(t, "apt-get update -qq && apt-get install -qq -y bc >/dev/null")
	b.Want(t, "echo 6*7 | bc", "42")
}

func testDocker(t *testing.T, b *Box) {
	b.Want(t, "docker run --rm debian:bookworm-slim sh -c '. /etc/os-release; echo $VERSION_CODENAME' 2>/dev/null", "bookworm")
	b.Want(t, "docker info --format '{{.Driver}}'", "overlay2")
	// As on Azure, nothing but a firewall in the guest keeps a container from the platform.
	b.Want(t, "docker run --rm debian:bookworm-slim bash -c 'exec 3<>/dev/tcp/169.254.169.254/80; printf \"GET / HTTP/1.0\\r\\n\\r\\n\" >&3; tail -n 1 <&3'",
		"imds of "+b.Spec.Key)
}

// stranger is a peer whom the first rules do not allow.
const stranger = "127.9.9.9"

func testRules(t *testing.T, b *Box) {
	if out, code := b.ssh("root", b.root, "true", "-b", stranger, "-o", "ConnectTimeout=2"); code != 255 || !strings.Contains(out, "timed out") {
		t.Errorf("a stranger's ssh: exit %d: %s", code, out)
	}
	open := append(allowSSH(), machine.Rule{Priority: 200, Protocol: "*", Allow: true,
		Sources: []netip.Prefix{netip.MustParsePrefix(stranger + "/32")}})
	if err := b.Driver.SetRules(t.Context(), b.Spec.Key, open); err != nil {
		t.Fatal(err)
	}
	if out, code := b.ssh("root", b.root, "true", "-b", stranger); code != 0 {
		t.Errorf("the stranger whom a rule allows: exit %d: %s", code, out)
	}
	deny := append([]machine.Rule{{Priority: 90, Protocol: "Tcp", Ports: []machine.PortRange{{First: 22, Last: 22}}}}, open...)
	if err := b.Driver.SetRules(t.Context(), b.Spec.Key, deny); err != nil {
		t.Fatal(err)
	}
	if _, code := b.ssh("root", b.root, "true", "-o", "ConnectTimeout=2"); code != 255 {
		t.Error("a denial of higher priority does not count")
	}
	if err := b.Driver.SetRules(t.Context(), b.Spec.Key, b.Rules); err != nil {
		t.Fatal(err)
	}
	b.must(t, "true")
}

// testSilence is about addresses of the range that no machine has: the host itself, which
// has all of 127.0.0.0/8, must not answer in a machine's place.
func testSilence(t *testing.T, b *Box) {
	l, err := net.Listen("tcp4", "0.0.0.0:0") //nolint:gosec // that it hears all addresses is the point
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	dial := func(host string) error {
		conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(t.Context(), "tcp4", net.JoinHostPort(host, port))
		if err == nil {
			conn.Close()
		}
		return err
	}
	if err := dial("127.5.5.5"); err != nil {
		t.Error("an address outside the range: ", err)
	}
	for _, silent := range []string{b.Spec.PublicIP.Next().String(), b.Spec.PublicIP.String()} {
		if failed, ok := dial(silent).(net.Error); !ok || !failed.Timeout() {
			t.Errorf("%s: %v, want a timeout", silent, failed)
		}
	}
}

func testStopStart(t *testing.T, b *Box) {
	b.must(t, "echo kept >/root/file; touch /run/gone; iptables -A INPUT -s 192.0.2.9 -j DROP; sync")
	if err := b.Driver.Stop(t.Context(), b.Spec.Key, false); err != nil {
		t.Fatal(err)
	}
	WantState(t, b, machine.Off)
	if out, code := b.ssh("root", b.root, "true", "-o", "ConnectTimeout=1"); code != 255 || !strings.Contains(out, "timed out") {
		t.Errorf("ssh to a machine that is off: exit %d: %s", code, out)
	}
	if err := b.Driver.Start(t.Context(), b.Spec, b.Rules); err != nil {
		t.Fatal(err)
	}
	WantState(t, b, machine.Running)
	b.Want(t, "cat /root/file; ls /run/gone 2>/dev/null; iptables -S INPUT | grep -c 192.0.2.9 || true", "kept\n0")
	b.Want(t, "cloud-init status --wait >/dev/null; wc -l </root/runcmd.log; systemctl is-active docker", "1\nactive")
	b.Want(t, "docker image ls --format '{{.Repository}}:{{.Tag}}'", "debian:bookworm-slim")
	testPlatform(t, b)
}

func testReboot(t *testing.T, b *Box) {
	// A container's kernel does not boot again: what tells boots apart is when systemd began.
	const boot = "systemctl show -p UserspaceTimestampMonotonic --value"
	before := b.must(t, boot)
	_, _ = b.ssh("root", b.root, "systemctl reboot")
	eventually(t, "the machine is up again", func() bool {
		after, code := b.ssh("root", b.root, boot)
		return code == 0 && after != before
	})
	b.Want(t, "cat /root/file; wc -l </root/runcmd.log", "kept\n1")
	testPlatform(t, b)
	if err := b.Driver.Restart(t.Context(), b.Spec.Key); err != nil {
		t.Fatal(err)
	}
	b.Want(t, "cat /root/file", "kept")
	select {
	case key := <-b.off:
		t.Error("a reboot was taken for the end of ", key)
	default:
	}
}

func testPowerOff(t *testing.T, b *Box) {
	_, _ = b.ssh("root", b.root, "systemctl poweroff")
	select {
	case key := <-b.off:
		if key != b.Spec.Key {
			t.Error("the wrong machine is off: ", key)
		}
	case <-t.Context().Done():
	}
	WantState(t, b, machine.Off)
	if err := b.Driver.Start(t.Context(), b.Spec, b.Rules); err != nil {
		t.Fatal(err)
	}
	b.Want(t, "cat /root/file", "kept")
}

// testTimeOut runs out of patience with a script that has started, and wants it and what
// it started to be gone from the guest.
func testTimeOut(t *testing.T, b *Box) {
	why := errors.New("out of patience")
	ctx, cancel := context.WithCancelCause(t.Context())
	ended := make(chan error, 1)
	go func() {
		_, err := b.Driver.Exec(ctx, b.Spec.Key, []string{"sh", "-s"}, strings.NewReader("setsid sleep 41414 &\nsleep 41414\n"))
		ended <- err
	}()
	running := func(want string) func() bool {
		return func() bool {
			got, err := b.Driver.Exec(t.Context(), b.Spec.Key, []string{"pgrep", "-c", "-x", "-f", "sleep 41414"}, nil)
			return err == nil && string(got.Stdout) == want
		}
	}
	eventually(t, "a script that runs", running("2\n"))
	cancel(why)
	if err := <-ended; !errors.Is(err, why) {
		t.Errorf("a script out of time: %v", err)
	}
	eventually(t, "the end of a script out of time", running("0\n"))
}

func testConsole(t *testing.T, b *Box) {
	got, err := b.Driver.Exec(t.Context(), b.Spec.Key, []string{"sh", "-c", "cat; whoami >&2; exit 3"}, strings.NewReader("typed"))
	if err != nil || got.Code != 3 || string(got.Stdout) != "typed" || string(got.Stderr) != "root\n" {
		t.Errorf("code %d, %q, %q, %v", got.Code, got.Stdout, got.Stderr, err)
	}
	testTimeOut(t, b)
	if err := b.Driver.Kill(t.Context(), b.Spec.Key); err != nil {
		t.Fatal(err)
	}
	select {
	case <-b.off:
	case <-t.Context().Done():
	}
	WantState(t, b, machine.Off)
	if _, err := b.Driver.Exec(t.Context(), b.Spec.Key, []string{"true"}, nil); !errors.Is(err, machine.ErrNoGuest) {
		t.Errorf("in a machine without power: %v", err)
	}
	if err := b.Driver.Start(t.Context(), b.Spec, b.Rules); err != nil {
		t.Fatal(err)
	}
	b.Want(t, "cat /root/file", "kept")
}

func testNeighbour(t *testing.T, b *Box) {
	other := b.NewBox(t, 2, Stock())
	if err := b.Driver.Create(t.Context(), other.Spec, other.Rules); err != nil {
		t.Fatal(err)
	}
	other.Want(t, "for tool in docker tmux git rsync; do command -v $tool; done; hostname", "vm2")
	const banner = "bash -c 'head -c 4 </dev/tcp/10.0.0.5/22'"
	if out, code := b.ssh("root", b.root, "timeout 3 "+banner); code != 124 {
		t.Errorf("a neighbour whom no rule allows: exit %d: %s", code, out)
	}
	vnet := append(allowSSH(), machine.Rule{Priority: 65000, Protocol: "*", Allow: true,
		Sources: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/16")}})
	if err := b.Driver.SetRules(t.Context(), other.Spec.Key, vnet); err != nil {
		t.Fatal(err)
	}
	b.Want(t, banner, "SSH-")
	b.Want(t, "ping -c 1 -W 3 10.0.0.5 >/dev/null; echo $?", "0")
	if err := b.Driver.Delete(t.Context(), other.Spec.Key); err != nil {
		t.Fatal(err)
	}
	WantState(t, other, machine.Absent)
}

// testRecover replaces the driver, as after the death of its process.
func testRecover(t *testing.T, b *Box) {
	const forgotten = "feedfeedfeed"
	b.maker.Forget(t, b.Cloud, forgotten)
	belongs := func(thing string) bool { return strings.Contains(thing, forgotten) }
	if !slices.ContainsFunc(b.maker.Left(t, b.Cloud), belongs) {
		t.Error("nothing was forgotten")
	}
	b.must(t, "echo still >/run/here")
	if err := b.Driver.Close(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	if _, code := b.ssh("root", b.root, "true", "-o", "ConnectTimeout=1"); code != 255 {
		t.Error("somebody answers while nobody forwards")
	}
	next, err := b.maker.New(t.Context(), b.Config, b.Cloud)
	if err != nil {
		t.Fatal(err)
	}
	b.Driver = next
	if err := next.Recover(t.Context(), []machine.Spec{b.Spec}, map[string][]machine.Rule{b.Spec.Key: b.Rules}); err != nil {
		t.Fatal(err)
	}
	b.Want(t, "cat /run/here", "still")
	testPlatform(t, b)
	// A create that the crash interrupted is taken up; the machine has reported to nobody,
	// and will not again.
	again, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := next.Create(again, b.Spec, b.Rules); err != nil {
		t.Error("create of a machine that runs: ", err)
	}
	b.Want(t, "cat /run/here", "still")
	if left := b.maker.Left(t, b.Cloud); slices.ContainsFunc(left, belongs) {
		t.Error("Recover leaves what no known machine has: ", left)
	}
	testPowerOff(t, b)
}

func testDelete(t *testing.T, b *Box) {
	if len(b.maker.Left(t, b.Cloud)) == 0 {
		t.Error("a machine that leaves no trace proves nothing")
	}
	if err := b.Driver.Delete(t.Context(), b.Spec.Key); err != nil {
		t.Fatal(err)
	}
	if err := b.Driver.Delete(t.Context(), b.Spec.Key); err != nil {
		t.Error("a second time: ", err)
	}
	if left := b.maker.Left(t, b.Cloud); len(left) > 0 {
		t.Error("Delete leaves ", left)
	}
	if len(shared(t, b)) == 0 {
		t.Error("what machines share went with the last of them")
	}
	if err := b.Driver.Close(context.WithoutCancel(t.Context()), true); err != nil {
		t.Fatal(err)
	}
	if left := shared(t, b); len(left) > 0 {
		t.Error("Close leaves ", left)
	}
}

func shared(t *testing.T, b *Box) []string {
	t.Helper()
	var all []string
	if b.maker.Shared != nil {
		all = b.maker.Shared(t, b.Cloud)
	}
	tables, err := exec.Command("nft", "list", "tables").Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(tables)) {
		if strings.Contains(line, b.Config.ID) {
			all = append(all, strings.TrimSpace(line))
		}
	}
	return all
}

// WantState looks at a machine.
func WantState(t *testing.T, b *Box, want machine.State) {
	t.Helper()
	if got, err := b.Driver.State(t.Context(), b.Spec.Key); err != nil || got != want {
		t.Errorf("state %q, %v; want %q", got, err, want)
	}
}
