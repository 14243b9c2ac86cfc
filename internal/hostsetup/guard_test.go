package hostsetup

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

// The test program, run inside a network namespace, serves or dials: MNGR_TEST_PROBE says
// which, as "listen NETWORK ADDRESS…" or "dial NETWORK ADDRESS". A program that has the
// variable never runs tests, whatever it holds: tests that start tests do not end.
func TestMain(m *testing.M) {
	if probe, ok := os.LookupEnv("MNGR_TEST_PROBE"); ok {
		os.Exit(playProbe(strings.Fields(probe)))
	}
	os.Exit(m.Run())
}

func playProbe(probe []string) int {
	if len(probe) < 3 {
		fmt.Println("no probe:", probe)
		return 2
	}
	verb, network, addresses := probe[0], probe[1], probe[2:]
	if verb == "dial" {
		conn, err := net.DialTimeout(network, addresses[0], 5*time.Second)
		if err != nil {
			return 1
		}
		_ = conn.SetDeadline(time.Now().Add(time.Second))
		_, _ = conn.Write([]byte("?"))
		if n, _ := conn.Read(make([]byte, 1)); n != 1 {
			return 1
		}
		return 0
	}
	for _, address := range addresses {
		if err := serve(network, address); err != nil {
			fmt.Println(err)
			return 1
		}
	}
	fmt.Println("ready")
	// Until the test closes standard input.
	_, _ = os.Stdin.Read(make([]byte, 1))
	return 0
}

func serve(network, address string) error {
	if network == "udp" {
		conn, err := net.ListenPacket(network, address)
		go func() {
			for err == nil {
				_, from, _ := conn.ReadFrom(make([]byte, 1))
				_, _ = conn.WriteTo([]byte("!"), from)
			}
		}()
		return err
	}
	listener, err := net.Listen(network, address)
	go func() {
		for err == nil {
			if conn, err := listener.Accept(); err == nil {
				_, _ = conn.Write([]byte("!"))
				conn.Close()
			}
		}
	}()
	return err
}

// world is Azure, a virtual machine in it and a container in that: three network namespaces.
type world struct {
	t              *testing.T
	azure, vm, box string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("network namespaces need root")
	}
	for _, program := range []string{"ip", "nft"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("needs %s: %v", program, err)
		}
	}
	name := fmt.Sprintf("mngrt%d", os.Getpid())
	w := &world{t, name + "a", name + "v", name + "c"}
	for _, ns := range []string{w.azure, w.vm, w.box} {
		w.sh("ip netns add " + ns)
		t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", ns).Run() })
		w.in(ns, "ip link set lo up")
	}
	// Azure: the metadata service, its host address, a neighbour and somebody on the Internet.
	w.sh("ip link add eth0 netns " + w.vm + " type veth peer name up0 netns " + w.azure)
	w.in(w.azure, "ip addr add 10.0.0.1/24 dev up0; ip addr add fd00:1::1/64 dev up0 nodad; ip link set up0 up")
	w.in(w.azure, "for a in 169.254.169.254 168.63.129.16 203.0.113.9; do ip addr add $a/32 dev lo; done; ip route add fd00:2::/64 via fd00:1::4")
	w.in(w.vm, "ip addr add 10.0.0.4/24 dev eth0; ip addr add fd00:1::4/64 dev eth0 nodad; ip link set eth0 up; ip route add default via 10.0.0.1")
	// The virtual machine's bridge, as Docker makes it, with a published port.
	w.in(w.vm, "ip link add docker0 type bridge; ip addr add 172.17.0.1/16 dev docker0; ip addr add fd00:2::1/64 dev docker0 nodad; ip link set docker0 up")
	w.sh("ip link add veth1 netns " + w.vm + " type veth peer name eth0 netns " + w.box)
	w.in(w.vm, "ip link set veth1 master docker0 up; sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1")
	w.in(w.box, "ip addr add 172.17.0.2/16 dev eth0; ip addr add fd00:2::2/64 dev eth0 nodad; ip link set eth0 up; ip route add default via 172.17.0.1; ip -6 route add default via fd00:2::1")
	w.in(w.vm, `nft add table ip docker
		nft 'add chain ip docker post { type nat hook postrouting priority srcnat; }'
		nft 'add rule ip docker post ip saddr 172.17.0.0/16 oifname != "docker0" masquerade'
		nft 'add chain ip docker pre { type nat hook prerouting priority dstnat; }'
		nft 'add rule ip docker pre ip daddr 10.0.0.4 tcp dport 2222 dnat to 172.17.0.2:22'`)
	w.listen(w.azure, "tcp", "169.254.169.254:80", "168.63.129.16:80", "168.63.129.16:32526", "168.63.129.16:53", "10.0.0.1:80", "203.0.113.9:80", "[fd00:1::1]:80")
	w.listen(w.azure, "udp", "168.63.129.16:53", "168.63.129.16:67")
	w.listen(w.vm, "tcp", "0.0.0.0:22", "[::]:23")
	w.listen(w.vm, "udp", "0.0.0.0:68")
	w.listen(w.box, "tcp", "0.0.0.0:22")
	return w
}

func (w *world) sh(script string) {
	w.t.Helper()
	if out, err := exec.Command("sh", "-ec", script).CombinedOutput(); err != nil {
		w.t.Fatalf("%s: %v: %s", script, err, out)
	}
}

func (w *world) in(ns, script string) {
	w.t.Helper()
	w.sh("exec ip netns exec " + ns + " sh -ec '" + strings.ReplaceAll(script, "'", `'\''`) + "'")
}

func (w *world) probe(ns, probe string) *exec.Cmd {
	cmd := exec.Command("ip", "netns", "exec", ns, os.Args[0])
	cmd.Env = append(os.Environ(), "MNGR_TEST_PROBE="+probe)
	return cmd
}

func (w *world) listen(ns, network string, addresses ...string) {
	w.t.Helper()
	cmd := w.probe(ns, "listen "+network+" "+strings.Join(addresses, " "))
	stdin, err := cmd.StdinPipe()
	if err != nil {
		w.t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		w.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() {
		stdin.Close()
		_ = cmd.Wait()
	})
	said := make([]byte, 200)
	if n, _ := stdout.Read(said); string(said[:n]) != "ready\n" {
		w.t.Fatalf("listen in %s: %s", ns, said[:n])
	}
}

// try dials all at once: what is dropped takes its time.
func (w *world) try(ns string, targets ...string) map[string]bool {
	running := map[string]*exec.Cmd{}
	for _, target := range targets {
		cmd := w.probe(ns, "dial "+target)
		if err := cmd.Start(); err != nil {
			w.t.Fatal(err)
		}
		running[target] = cmd
	}
	answered := map[string]bool{}
	for target, cmd := range running {
		answered[target] = cmd.Wait() == nil
	}
	return answered
}

// reach waits until all targets answer: new links and IPv6 neighbours take their time.
func (w *world) reach(ns string, targets ...string) {
	w.t.Helper()
	for range 10 {
		answered := w.try(ns, targets...)
		targets = slices.DeleteFunc(slices.Clone(targets), func(target string) bool { return answered[target] })
		if len(targets) == 0 {
			return
		}
	}
	w.t.Fatalf("without the guard %v do not answer %s: the test shows nothing", targets, ns)
}

func (w *world) expect(when, ns string, want bool, targets ...string) {
	w.t.Helper()
	for target, got := range w.try(ns, targets...) {
		if got != want {
			w.t.Errorf("%s: %s to %s: answered %v, want %v", when, ns, target, got, want)
		}
	}
}

func (w *world) guard() {
	w.in(w.vm, "SUBNET_PREFIX=10.0.0.0/24 sh files/guard.sh")
}

func TestGuard(t *testing.T) {
	w := newWorld(t)
	forbidden := []string{
		"tcp 169.254.169.254:80", "tcp 168.63.129.16:80", "tcp 168.63.129.16:32526", "udp 168.63.129.16:67",
		"tcp 172.17.0.1:22", "tcp 10.0.0.4:22", "tcp 10.0.0.4:2222", "udp 172.17.0.1:68", "tcp 10.0.0.1:80",
		"tcp [fd00:2::1]:23", "tcp [fd00:1::4]:23", "tcp [fd00:1::1]:80",
	}
	allowed := []string{"tcp 203.0.113.9:80", "tcp 168.63.129.16:53", "udp 168.63.129.16:53"}
	machine := []string{
		"tcp 169.254.169.254:80", "tcp 168.63.129.16:80", "tcp 10.0.0.1:80", "tcp 203.0.113.9:80",
		"tcp 172.17.0.2:22", "tcp 127.0.0.1:22", "tcp [fd00:1::1]:80",
	}
	outside := []string{"tcp 10.0.0.4:22", "tcp 10.0.0.4:2222", "tcp [fd00:1::4]:23"}

	// Positive control: without the guard everything answers but the hairpin to its own port.
	w.reach(w.box, slices.Concat(allowed, slices.DeleteFunc(slices.Clone(forbidden), func(target string) bool {
		return target == "tcp 10.0.0.4:2222"
	}))...)
	w.reach(w.vm, machine...)
	for _, round := range []string{"guarded", "guarded again"} {
		w.guard()
		w.expect(round, w.box, false, forbidden...)
		w.expect(round, w.box, true, allowed...)
		w.expect(round, w.vm, true, machine...)
		w.expect(round, w.azure, true, outside...)
	}

	t.Run("another bridge", func(t *testing.T) {
		w.in(w.vm, "ip link set veth1 nomaster; ip addr flush dev docker0; ip addr add 172.17.0.1/16 dev veth1")
		w.expect("on its own interface", w.box, true, allowed...)
		w.expect("on its own interface", w.box, false, "tcp 169.254.169.254:80", "tcp 172.17.0.1:22", "tcp 10.0.0.1:80")
	})
	t.Run("no uplink", func(t *testing.T) {
		w.in(w.vm, "ip route del default")
		cmd := exec.Command("ip", "netns", "exec", w.vm, "sh", "files/guard.sh")
		cmd.Env = append(os.Environ(), "MNGR_PATIENCE=0")
		if out, err := cmd.CombinedOutput(); err == nil {
			t.Errorf("guessed the uplink: %s", out)
		}
	})
}
