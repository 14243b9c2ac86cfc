package docker

import (
	"testing"
	"time"
)

func TestLife(t *testing.T) {
	c := newCloud(t, 77)
	if err := c.driver.Prepare(t.Context(), func(phase string) { t.Log(phase) }); err != nil {
		t.Fatal(err)
	}
	b := c.newBox(t, 1, baked())
	began := time.Now()
	if err := c.driver.Create(t.Context(), b.spec, b.rules); err != nil {
		t.Fatal(err)
	}
	t.Log("created after ", time.Since(began))
	b.want(t, "hostname", "vm1")
	t.Log(b.must(t, "cloud-init status --wait --long; systemctl is-system-running; systemctl --failed; ip a; ip route; cat /etc/resolv.conf; mount | head -50; ss -ltn"))
	t.Log(b.must(t, "curl -s http://169.254.169.254/; curl -s http://"+c.ARMAddress().String()))
	t.Log(b.must(t, "docker run --rm debian:bookworm-slim cat /etc/debian_version; docker info 2>&1 | grep -E 'Storage|Cgroup|WARN'"))
	t.Log(b.ssh("azureuser", b.admin, "sudo id; ls -la ~"))
}
