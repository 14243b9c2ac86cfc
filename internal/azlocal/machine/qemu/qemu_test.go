//go:build qemu

package qemu

import (
	"context"
	"os"
	"testing"

	"mngr/internal/azlocal/machine/lifetest"
	"mngr/internal/azlocal/machine/process"
)

// TestLife boots virtual machines, which takes minutes where they are emulated: it is run
// by `make qemu` alone.
func TestLife(t *testing.T) {
	lifetest.Run(t, lifetest.Maker{New: New, Forget: forget, Left: left})
}

func forget(t *testing.T, c *lifetest.Cloud, key string) {
	ns, err := newHypervisor(c.Config).Router(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	ns.Close()
}

func left(t *testing.T, c *lifetest.Cloud) []string {
	h := newHypervisor(c.Config)
	all, err := namespaces()
	if err != nil {
		t.Fatal(err)
	}
	running, err := process.Find(func(args []string) bool { return objectOf(args) != "" })
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range running {
		all = append(all, objectOf(p.Args))
		p.Close()
	}
	var mine []string
	for _, name := range all {
		if _, ok := h.key(name); ok {
			mine = append(mine, name)
		}
	}
	return mine
}

// TestStaleNamespace finds what a reboot leaves where /run is no RAM disk.
func TestStaleNamespace(t *testing.T) {
	const name = "azlocal-stale"
	if err := os.WriteFile(namespaceFile(name), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	defer removeNamespace(context.WithoutCancel(t.Context()), name)
	ns, err := ensureNamespace(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	defer ns.Close()
	if err := ns.Do(func() error { return nil }); err != nil {
		t.Error(err)
	}
}
