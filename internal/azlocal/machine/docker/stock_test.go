package docker

import (
	"bytes"
	"testing"
	"time"

	"mngr/internal/azlocal/machine"
)

// TestStock is what a user of Azure does: customData installs Docker on an image that has
// none.
func TestStock(t *testing.T) {
	c := newCloud(t, 78)
	b := c.newBox(t, 1, stock())
	b.spec.CustomData = bytes.Replace(b.spec.CustomData, []byte("runcmd:\n"),
		[]byte("runcmd:\n  - apt-get update -qq\n  - DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends docker.io\n"), 1)
	began := time.Now()
	if err := c.driver.Create(t.Context(), b.spec, b.rules); err != nil {
		t.Fatal(err)
	}
	t.Log("provisioned after ", time.Since(began))
	b.want(t, "cloud-init status --wait | tail -n 1", "status: done")
	t.Log("customData done after ", time.Since(began))
	b.want(t, "docker run --rm debian:bookworm-slim echo nested 2>/dev/null", "nested")

	began = time.Now()
	if err := c.driver.Stop(t.Context(), b.spec.Key, true); err != nil {
		t.Fatal(err)
	}
	t.Log("switched off after ", time.Since(began))
	began = time.Now()
	if err := c.driver.Start(t.Context(), b.spec, b.rules); err != nil {
		t.Fatal(err)
	}
	t.Log("up after ", time.Since(began))
	b.want(t, "docker run --rm debian:bookworm-slim echo nested 2>/dev/null", "nested")
	began = time.Now()
	if err := c.driver.Stop(t.Context(), b.spec.Key, false); err != nil {
		t.Fatal(err)
	}
	t.Log("shut down after ", time.Since(began))
	wantState(t, b, machine.Off)
}
