// Package guestbin holds mngrd for the machines that mngr makes, embedded at build time.
// It compiles without them, so that `go build ./...` works in a fresh clone; cli is its
// only user.
package guestbin

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io"

	"mngr/internal/agent"
)

//go:embed all:bin
var files embed.FS

// Binary is mngrd for one architecture.
type Binary struct {
	Gzip   []byte // compressed, as it travels
	SHA256 string // of the decompressed program, hexadecimal
}

// For returns mngrd for a Linux machine of an architecture in Go's words ("amd64").
func For(arch string) (Binary, error) {
	packed, err := files.ReadFile("bin/mngrd-linux-" + arch + ".gz")
	if err != nil {
		return Binary{}, agent.Errorf(agent.KindUsage, "this mngr was built without its guest for %s", arch).WithHint("make build")
	}
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return Binary{}, fmt.Errorf("unpack the guest for %s: %w", arch, err)
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, r); err != nil {
		return Binary{}, fmt.Errorf("unpack the guest for %s: %w", arch, err)
	}
	return Binary{Gzip: packed, SHA256: hex.EncodeToString(sum.Sum(nil))}, nil
}
