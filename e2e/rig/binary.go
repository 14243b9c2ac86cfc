package rig

import (
	"os"
	"path/filepath"
	"testing"
)

// Binary is the path of the built mngr: $MNGR_BIN, else bin/mngr of the repository.
func Binary(t testing.TB) string {
	t.Helper()
	path := os.Getenv("MNGR_BIN")
	if path == "" {
		path = filepath.Join(root(t), "bin", "mngr")
	}
	path, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil { //nolint:gosec // whoever runs the tests names it
		t.Fatalf("%v: run `make build` first, or `make test`, which does", err)
	}
	return path
}

// root is the directory of go.mod above the test's.
func root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	for err == nil {
		if _, missing := os.Stat(filepath.Join(dir, "go.mod")); missing == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above the test")
		}
		dir = filepath.Dir(dir)
	}
	t.Fatal(err)
	return ""
}
