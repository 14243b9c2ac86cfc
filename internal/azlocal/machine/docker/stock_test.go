package docker

import (
	"bytes"
	"testing"
	"time"

	"mngr/internal/azlocal/machine"
	"mngr/internal/azlocal/machine/lifetest"
)

// TestStock is what a user of Azure does: customData installs Docker on an image that has
// none.
func TestStock(t *testing.T) {
	c := lifetest.NewCloud(t, maker(), 78)
	b := c.NewBox(t, 1, lifetest.Stock())
	b.Spec.CustomData = bytes.Replace(b.Spec.CustomData, []byte("runcmd:\n"),
		[]byte("runcmd:\n  - apt-get update -qq\n  - DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends docker.io\n"), 1)
	began := time.Now()
	if err := c.Driver.Create(t.Context(), b.Spec, b.Rules); err != nil {
		t.Fatal(err)
	}
	t.Log("provisioned after ", time.Since(began))
	b.Want(t, "cloud-init status --wait | tail -n 1", "status: done")
	t.Log("customData done after ", time.Since(began))
	b.Want(t, "docker run --rm debian:bookworm-slim echo nested 2>/dev/null", "nested")

	began = time.Now()
	if err := c.Driver.Stop(t.Context(), b.Spec.Key, true); err != nil {
		t.Fatal(err)
	}
	t.Log("switched off after ", time.Since(began))
	began = time.Now()
	if err := c.Driver.Start(t.Context(), b.Spec, b.Rules); err != nil {
		t.Fatal(err)
	}
	t.Log("up after ", time.Since(began))
	b.Want(t, "docker run --rm debian:bookworm-slim echo nested 2>/dev/null", "nested")
	began = time.Now()
	if err := c.Driver.Stop(t.Context(), b.Spec.Key, false); err != nil {
		t.Fatal(err)
	}
	t.Log("shut down after ", time.Since(began))
	lifetest.WantState(t, b, machine.Off)
}
