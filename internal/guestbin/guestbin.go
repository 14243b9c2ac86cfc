// Package guestbin carries the guest binary mngrd, for each architecture of a virtual
// machine, inside mngr.
//
// It compiles without the binaries too. fleet uses it to send mngrd to a machine.
package guestbin

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"mngr/internal/agent"
)

// bin holds what `make build` puts there; its README keeps the pattern from being empty.
//
//go:embed all:bin
var bin embed.FS

// Binary is mngrd for one architecture.
type Binary struct {
	Arch       string // amd64 or arm64
	SHA256     string // of Content, hexadecimal
	Content    []byte // the program
	Compressed []byte // the same as gzip, for slow lines
}

// For returns mngrd for an architecture as Go names it; x86_64 and aarch64, as `uname -m`
// prints them, will do. It unpacks at each call: 60 ms, spent only where a guest is sent.
func For(arch string) (Binary, error) {
	return read(bin, arch)
}

func read(files fs.FS, arch string) (Binary, error) {
	switch arch {
	case "x86_64":
		arch = "amd64"
	case "aarch64":
		arch = "arm64"
	case "amd64", "arm64":
	default:
		return Binary{}, agent.Errorf(agent.KindRefused, "there is no mngrd for machines of architecture %q", arch).
			WithHint("choose a VM size with an x86-64 or an Arm64 processor")
	}
	compressed, err := fs.ReadFile(files, "bin/mngrd-linux-"+arch+".gz")
	if errors.Is(err, fs.ErrNotExist) {
		return Binary{}, agent.Errorf(agent.KindInternal, "this mngr was built without mngrd for linux/%s", arch).
			WithHint("make build")
	}
	if err != nil {
		return Binary{}, err
	}
	content, err := unpack(compressed)
	if err != nil {
		return Binary{}, fmt.Errorf("unpack mngrd for linux/%s: %w", arch, err)
	}
	sum := sha256.Sum256(content)
	return Binary{Arch: arch, SHA256: hex.EncodeToString(sum[:]), Content: content, Compressed: compressed}, nil
}

func unpack(compressed []byte) ([]byte, error) {
	reader, err := gzip.NewReader(bytes.NewReader(compressed))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(reader)
}
