// Package registry is a small read-only container registry (Docker Registry HTTP API V2,
// https://distribution.github.io/distribution/spec/api/) over a directory. It gives the
// Docker engines inside the machines the few images they may want where no public registry
// answers. Only packages under internal/azlocal/machine import it.
package registry

import (
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
)

// Media types of an image of schema 2.
const (
	manifestType = "application/vnd.docker.distribution.manifest.v2+json"
	configType   = "application/vnd.docker.container.image.v1+json"
	layerType    = "application/vnd.docker.image.rootfs.diff.tar.gzip"
)

// Store is a directory of blobs and tags.
type Store struct{ dir string }

// Open uses the directory, which need not exist as long as nothing is added.
func Open(dir string) *Store { return &Store{dir: dir} }

type descriptor struct {
	MediaType string `json:"mediaType"`
	Size      int64  `json:"size"`
	Digest    string `json:"digest"`
}

// Add stores an image of one layer, the tar file of a root file system, under a
// repository ("library/debian") and tag.
func (s *Store) Add(repository, tag, rootfs string) error {
	layer, diffID, err := s.addLayer(rootfs)
	if err != nil {
		return fmt.Errorf("store layer of %s:%s: %w", repository, tag, err)
	}
	config, err := s.addJSON(configType, map[string]any{
		"architecture": runtime.GOARCH, "os": "linux",
		"config": map[string]any{"Cmd": []string{"bash"},
			"Env": []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}},
		"rootfs":  map[string]any{"type": "layers", "diff_ids": []string{diffID}},
		"history": []any{map[string]any{"created_by": "mmdebstrap"}},
	})
	if err != nil {
		return err
	}
	manifest, err := s.addJSON(manifestType, map[string]any{
		"schemaVersion": 2, "mediaType": manifestType, "config": config, "layers": []descriptor{layer},
	})
	if err != nil {
		return err
	}
	name := s.tagFile(repository, tag)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil { //nolint:gosec // public images
		return err
	}
	return os.WriteFile(name, []byte(manifest.Digest), 0o644) //nolint:gosec // public images
}

// Has reports whether the tag is there.
func (s *Store) Has(repository, tag string) bool {
	_, err := os.Stat(s.tagFile(repository, tag))
	return err == nil
}

func (s *Store) tagFile(repository, tag string) string {
	return filepath.Join(s.dir, "tags", filepath.FromSlash(repository), tag)
}

func (s *Store) blobFile(hexDigest string) string {
	return filepath.Join(s.dir, "blobs", "sha256", hexDigest)
}

// addLayer compresses the tar file; the layer is known by the digest of either form.
func (s *Store) addLayer(rootfs string) (layer descriptor, diffID string, err error) {
	in, err := os.Open(rootfs)
	if err != nil {
		return layer, "", err
	}
	defer in.Close()
	plain := sha256.New()
	layer, err = s.addBlob(layerType, func(w io.Writer) error {
		packer, err := gzip.NewWriterLevel(w, gzip.BestSpeed)
		if err != nil {
			return err
		}
		if _, err := io.Copy(packer, io.TeeReader(in, plain)); err != nil {
			return err
		}
		return packer.Close()
	})
	return layer, "sha256:" + hex.EncodeToString(plain.Sum(nil)), err
}

func (s *Store) addJSON(mediaType string, v any) (descriptor, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return descriptor{}, err
	}
	return s.addBlob(mediaType, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// addBlob writes under a temporary name first: a blob is there whole or not at all.
func (s *Store) addBlob(mediaType string, write func(io.Writer) error) (descriptor, error) {
	dir := filepath.Dir(s.blobFile("x"))
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // public images
		return descriptor{}, err
	}
	file, err := os.CreateTemp(dir, ".new-")
	if err != nil {
		return descriptor{}, err
	}
	defer os.Remove(file.Name())
	defer file.Close()
	sum := sha256.New()
	if err := write(io.MultiWriter(file, sum)); err != nil {
		return descriptor{}, err
	}
	size, err := file.Seek(0, io.SeekCurrent)
	if err != nil {
		return descriptor{}, err
	}
	digest := hex.EncodeToString(sum.Sum(nil))
	return descriptor{mediaType, size, "sha256:" + digest}, os.Rename(file.Name(), s.blobFile(digest))
}
