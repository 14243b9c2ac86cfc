//go:build qemu

package qemu

import (
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
