package docker

import (
	"os/exec"
	"strings"
	"testing"

	"mngr/internal/azlocal/machine"
	"mngr/internal/azlocal/machine/lifetest"
)

func TestLife(t *testing.T) { lifetest.Run(t, maker()) }

func maker() lifetest.Maker {
	return lifetest.Maker{New: New, Forget: forget, Left: left, Shared: shared}
}

func forget(t *testing.T, c *lifetest.Cloud, key string) {
	e := newEngine(c.Config)
	image := docker(t, "image", "ls", "--quiet", "--filter", "label=mngr.azlocal.image")[0]
	docker(t, append(e.holderArgs(machine.Spec{Key: key}, e.object(roleHolder, key)), image, "true")...)
}

func left(t *testing.T, c *lifetest.Cloud) []string {
	label := "label=" + labelInstance + "=" + c.Config.ID
	return append(docker(t, "ps", "--all", "--format", "{{.Names}}", "--filter", label),
		docker(t, "volume", "ls", "--quiet", "--filter", label)...)
}

func shared(t *testing.T, c *lifetest.Cloud) []string {
	return docker(t, "network", "ls", "--quiet", "--filter", "label="+labelInstance+"="+c.Config.ID)
}

func docker(t *testing.T, args ...string) []string {
	t.Helper()
	out, err := exec.Command("docker", args...).Output()
	if err != nil {
		t.Fatalf("docker %s: %v", args, err)
	}
	return strings.Fields(string(out))
}
