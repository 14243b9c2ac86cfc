package e2e

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// private DIR [PUBLIC...] wants everything below a directory, and itself, for its owner
// only, whatever the umask was; files named as public may be read by all.
func private(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: private DIR [PUBLIC...]")
	}
	seen := 0
	ts.Check(filepath.WalkDir(args[0], func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		seen++
		allowed := fs.FileMode(0o700)
		if slices.Contains(args[1:], path) {
			allowed = 0o644
		}
		if mode := info.Mode(); mode.Type() != fs.ModeSymlink && mode.Perm()&^allowed != 0 {
			ts.Fatalf("%s: others may use it: %v", path, mode)
		}
		return nil
	}))
	if seen < 3 {
		ts.Fatalf("%s: only %d files: the test shows nothing", args[0], seen)
	}
}

// holds TEXT PATH looks for a text in a file, or in all files below a directory.
func holds(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 || args[0] == "" {
		ts.Fatalf("usage: holds TEXT PATH")
	}
	found, looked := "", 0
	ts.Check(filepath.WalkDir(ts.MkAbs(args[1]), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		looked++
		if bytes.Contains(content, []byte(args[0])) {
			found = path
		}
		return nil
	}))
	switch {
	case found != "" && neg:
		ts.Fatalf("%s holds %q", found, args[0])
	case looked == 0:
		ts.Fatalf("no file in %s: the test shows nothing", args[1])
	case found == "" && !neg:
		ts.Fatalf("none of %d files holds %q", looked, args[0])
	}
}

// secretof NAME puts the secret of the local Azure's own principal into the environment.
func secretOf(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: secretof NAME")
	}
	raw, err := os.ReadFile(filepath.Join(ts.Getenv("MNGR_AZLOCAL_DIR"), "client.json"))
	ts.Check(err)
	var client struct {
		SecretFile string `json:"client_secret_file"`
	}
	ts.Check(json.Unmarshal(raw, &client))
	secret, err := os.ReadFile(client.SecretFile)
	ts.Check(err)
	if len(secret) < 8 {
		ts.Fatalf("%q is no secret", secret)
	}
	ts.Setenv(args[0], strings.TrimSpace(string(secret)))
}
