package guestimage

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSelectSources(t *testing.T) {
	const targets = "http://example.org/debian/ bookworm main\n" +
		"http://example.org/debian/ bookworm main\n" +
		"http://example.org/security/ bookworm-security main\n" +
		"https://example.com/docker/ bookworm stable\n" +
		"https://example.com/sdk/ sdk-bookworm main\n" +
		"file:/srv/debian bookworm main\n"
	const want = "deb http://example.org/debian/ bookworm main\ndeb http://example.org/security/ bookworm-security main\n"
	if diff := cmp.Diff(want, selectSources(targets)); diff != "" {
		t.Error(diff)
	}
	if got := selectSources("http://example.org/security/ bookworm-security main\n"); got != "" {
		t.Errorf("updates alone are no Debian: %q", got)
	}
}

func TestSelectOptions(t *testing.T) {
	const dump = "APT::Architecture \"amd64\";\nAcquire::http::Proxy \"http://proxy:3128\";\nAcquire::https \"\";\n" +
		"Acquire::Check-Valid-Until \"false\";\nAcquire::Languages:: \"none\";\nDPkg::Post-Invoke:: \"rm -rf /\";\n"
	env := map[string]string{"http_proxy": "http://other:1", "https_proxy": "http://other:2"}
	want := []string{`Acquire::http::Proxy "http://proxy:3128";`, `Acquire::Check-Valid-Until "false";`, `Acquire::https::Proxy "http://other:2";`}
	if diff := cmp.Diff(want, selectOptions(dump, func(name string) string { return env[name] })); diff != "" {
		t.Error(diff)
	}
}

func TestWriteTar(t *testing.T) {
	var out bytes.Buffer
	files := map[string][]byte{Init: []byte("#!"), "/etc/apt/auth.conf.d/a.conf": []byte("login"), "/etc/b": nil}
	if err := writeTar(&out, files); err != nil {
		t.Fatal(err)
	}
	got := map[string]int64{}
	for in := tar.NewReader(&out); ; {
		header, err := in.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		got[header.Name] = header.Mode
	}
	want := map[string]int64{"usr/": 0o755, "usr/lib/": 0o755, "usr/lib/azlocal/": 0o755, "usr/lib/azlocal/init": 0o755, "etc/": 0o755,
		"etc/apt/": 0o755, "etc/apt/auth.conf.d/": 0o755, "etc/apt/auth.conf.d/a.conf": 0o600, "etc/b": 0o644}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestRegistryAddress holds the two places together that know where the mirror is.
func TestRegistryAddress(t *testing.T) {
	files, err := embedded(rootfs, "rootfs")
	if err != nil {
		t.Fatal(err)
	}
	var daemon struct {
		Mirrors []string `json:"registry-mirrors"`
	}
	if err := json.Unmarshal(files["/etc/docker/daemon.json"], &daemon); err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(daemon.Mirrors, "http://"+Registry().String()) {
		t.Errorf("the guest's mirrors %v lack %s", daemon.Mirrors, Registry())
	}
}

// TestTighten wants a cache of before to be closed to others, and only what holds this
// computer's logins: apt's own user goes through the cache and reads in build directories.
func TestTighten(t *testing.T) {
	dir := t.TempDir()
	want := map[string]fs.FileMode{
		"disk-baked-1": 0o700, "disk-baked-1/root.img": 0o600, "disk-stock-2": 0o700, "registry-3": 0o755,
		"build-4": 0o755, "build-4/list": 0o644, "lock": 0o600, "disk-file": 0o644,
	}
	for _, name := range []string{"disk-baked-1", "disk-stock-2", "registry-3", "build-4"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"disk-baked-1/root.img", "build-4/list", "disk-file"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	c := NewCache(dir, slog.New(slog.DiscardHandler))
	if _, err := c.alone(t.Context(), func(string) (string, error) { return "", nil }); err != nil {
		t.Fatal(err)
	}
	got := map[string]fs.FileMode{}
	for name := range want {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		got[name] = info.Mode().Perm()
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
