package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"mngr/e2e/rig"
)

// environment is what a script sees: a home of its own and the instance in dir.
func environment(env *testscript.Env, mngr, dir string) {
	home := filepath.Join(env.WorkDir, "home")
	for _, kv := range [][2]string{
		{"HOME", home}, {"MNGR_HOST_DIR", filepath.Join(home, ".mngr")}, {"MNGR_AZLOCAL_DIR", dir},
		{"PATH", filepath.Dir(mngr) + ":" + os.Getenv("PATH")},
		{"GIT_CONFIG_NOSYSTEM", "1"}, {"GIT_AUTHOR_NAME", "T"}, {"GIT_AUTHOR_EMAIL", "t@example.com"},
		{"GIT_COMMITTER_NAME", "T"}, {"GIT_COMMITTER_EMAIL", "t@example.com"}, {"TERM", "xterm"},
	} {
		env.Setenv(kv[0], kv[1])
	}
	if err := os.MkdirAll(home, 0o700); err != nil {
		env.T().Fatal(err)
	}
}

// TestWithoutMachines gives every script a local Azure of its own.
func TestWithoutMachines(t *testing.T) {
	mngr := rig.Binary(t)
	testscript.Run(t, testscript.Params{
		Dir:  "testdata/none",
		Cmds: commands(),
		Setup: func(env *testscript.Env) error {
			dir := filepath.Join(env.WorkDir, "azlocal")
			environment(env, mngr, dir)
			env.Defer(func() { reset(env.T().(testing.TB), mngr, dir) })
			return nil
		},
		RequireUniqueNames: true,
	})
}

// TestWithMachines shares one local Azure, prepared once, between scripts that run one
// after the other: two cores boot one machine at a time.
func TestWithMachines(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("machines need root")
	}
	mngr := rig.Binary(t)
	dir := filepath.Join(t.TempDir(), "azlocal")
	env := append(os.Environ(), "MNGR_AZLOCAL_DIR="+dir, "MNGR_HOST_DIR="+t.TempDir())
	nothingLeft(t, dir)
	t.Cleanup(func() { reset(t, mngr, dir) })
	for _, args := range [][]string{
		{"azure", "local", "up", "--driver", "docker"},
		{"azure", "prepare", "--provider", "azure-local"},
	} {
		cmd := exec.Command(mngr, args...)
		cmd.Env = env
		out, err := cmd.CombinedOutput()
		t.Logf("mngr %s\n%s", strings.Join(args, " "), out)
		if err != nil {
			t.Fatal(err)
		}
	}
	names, err := filepath.Glob("testdata/docker/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, name := range names {
		// One call a script keeps testscript from running them side by side.
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			testscript.Run(t, testscript.Params{
				Files: []string{name},
				Cmds:  commands(),
				Setup: func(env *testscript.Env) error {
					environment(env, mngr, dir)
					second := filepath.Join(env.WorkDir, "second")
					env.Defer(func() { reset(env.T().(testing.TB), mngr, second) }) // of a script that needs one more
					// The image that brings Docker along boots faster; life.txtar takes the stock one.
					env.Setenv("MNGR__PROVIDERS__AZURE_LOCAL__IMAGE_PUBLISHER", "azlocal")
					env.Setenv("MNGR__PROVIDERS__AZURE_LOCAL__IMAGE_OFFER", "debian-12-docker")
					return nil
				},
			})
		})
	}
}

func reset(t testing.TB, mngr, dir string) {
	cmd := exec.Command(mngr, "azure", "local", "reset", "--force")
	cmd.Env = append(os.Environ(), "MNGR_AZLOCAL_DIR="+dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Log(fmt.Errorf("reset the local Azure: %w\n%s", err, out))
	}
}
