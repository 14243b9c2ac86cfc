package guestbin

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"
	"testing/fstest"

	"mngr/internal/agent"
)

func packed(t *testing.T, content string) *fstest.MapFile {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(content)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return &fstest.MapFile{Data: b.Bytes()}
}

func TestRead(t *testing.T) {
	files := fstest.MapFS{"bin/mngrd-linux-amd64.gz": packed(t, "program")}
	sum := sha256.Sum256([]byte("program"))
	for _, arch := range []string{"amd64", "x86_64"} {
		got, err := read(files, arch)
		if err != nil {
			t.Fatal(err)
		}
		if string(got.Content) != "program" || got.SHA256 != hex.EncodeToString(sum[:]) || got.Arch != "amd64" ||
			!bytes.Equal(got.Compressed, files["bin/mngrd-linux-amd64.gz"].Data) {
			t.Errorf("%s: %+v", arch, got)
		}
	}
}

func TestReadFails(t *testing.T) {
	whole := packed(t, strings.Repeat("program", 100))
	tests := map[string]struct {
		arch string
		file *fstest.MapFile
		hint string
	}{
		"built without": {"arm64", nil, "make build"},
		"unknown":       {"riscv64", nil, "VM size"},
		"a path":        {"../amd64", nil, "VM size"},
		"truncated":     {"amd64", &fstest.MapFile{Data: whole.Data[:len(whole.Data)-9]}, ""},
		"not gzip":      {"amd64", &fstest.MapFile{Data: []byte("program")}, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			files := fstest.MapFS{"bin/README": whole}
			if test.file != nil {
				files["bin/mngrd-linux-amd64.gz"] = test.file
			}
			_, err := read(files, test.arch)
			if err == nil || !strings.Contains(agent.HintOf(err), test.hint) {
				t.Errorf("got %v, hint %q", err, agent.HintOf(err))
			}
		})
	}
}

// The real thing: each binary that this build has is a Linux program.
func TestFor(t *testing.T) {
	for _, arch := range []string{"amd64", "arm64"} {
		got, err := For(arch)
		if err != nil {
			if !strings.Contains(agent.HintOf(err), "make build") {
				t.Errorf("%s: %v", arch, err)
			}
			continue
		}
		if !bytes.HasPrefix(got.Content, []byte("\x7fELF")) {
			t.Errorf("%s: begins with %q", arch, got.Content[:4])
		}
	}
}
