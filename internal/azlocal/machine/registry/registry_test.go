package registry

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
)

const content = "this stands for a tar file"

func testStore(t *testing.T) *Store {
	t.Helper()
	rootfs := filepath.Join(t.TempDir(), "rootfs.tar")
	if err := os.WriteFile(rootfs, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	store := Open(filepath.Join(t.TempDir(), "store"))
	if store.Has("library/debian", "slim") {
		t.Fatal("an empty store has the image")
	}
	if err := store.Add("library/debian", "slim", rootfs); err != nil {
		t.Fatal(err)
	}
	if !store.Has("library/debian", "slim") {
		t.Fatal("the store lacks the image")
	}
	return store
}

func ask(t *testing.T, s *Store, method, path string) (*http.Response, []byte) {
	t.Helper()
	answer := httptest.NewRecorder()
	s.ServeHTTP(answer, httptest.NewRequest(method, path, nil))
	body, err := io.ReadAll(answer.Result().Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.Result(), body
}

// TestPull goes the way of an engine: tag, manifest by digest, config, layer.
func TestPull(t *testing.T) {
	s := testStore(t)
	head, _ := ask(t, s, "HEAD", "/v2/library/debian/manifests/slim")
	digest := head.Header.Get("Docker-Content-Digest")
	if head.StatusCode != http.StatusOK || head.Header.Get("Content-Type") != manifestType {
		t.Fatalf("HEAD of the tag: %d %v", head.StatusCode, head.Header)
	}
	_, data := ask(t, s, "GET", "/v2/library/debian/manifests/"+digest)
	wantDigest(t, data, digest)
	var manifest struct {
		Config descriptor
		Layers []descriptor
	}
	if err := json.Unmarshal(data, &manifest); err != nil || len(manifest.Layers) != 1 {
		t.Fatalf("manifest %s: %v", data, err)
	}
	for _, blob := range []descriptor{manifest.Config, manifest.Layers[0]} {
		_, data = ask(t, s, "GET", "/v2/library/debian/blobs/"+blob.Digest)
		wantDigest(t, data, blob.Digest)
		if int64(len(data)) != blob.Size {
			t.Errorf("size %d, want %d", len(data), blob.Size)
		}
	}
	unpacked, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if layer, err := io.ReadAll(unpacked); err != nil || string(layer) != content {
		t.Errorf("layer %q, %v", layer, err)
	}
}

func wantDigest(t *testing.T, data []byte, want string) {
	t.Helper()
	sum := sha256.Sum256(data)
	if got := "sha256:" + hex.EncodeToString(sum[:]); got != want {
		t.Errorf("digest %s, want %s", got, want)
	}
}

func TestRefusals(t *testing.T) {
	s := testStore(t)
	none := "sha256:" + hex.EncodeToString(make([]byte, 32))
	tests := []struct {
		method, path string
		status       int
	}{
		{"GET", "/v2/", http.StatusOK},
		{"GET", "/v2/library/debian/manifests/slim", http.StatusOK},
		{"PUT", "/v2/library/debian/manifests/slim", http.StatusMethodNotAllowed},
		{"GET", "/v1/", http.StatusNotFound},
		{"GET", "/v2/library/debian/tags/list", http.StatusNotFound},
		{"GET", "/v2/library/alpine/manifests/slim", http.StatusNotFound},
		{"GET", "/v2/library/debian/manifests/fat", http.StatusNotFound},
		{"GET", "/v2/library/debian/manifests/" + none, http.StatusNotFound},
		{"GET", "/v2/library/debian/blobs/" + none, http.StatusNotFound},
		{"GET", "/v2/library/debian/blobs/sha256:../../tags/library/debian/slim", http.StatusBadRequest},
		{"GET", "/v2/../tags/library/debian/manifests/slim", http.StatusNotFound},
		{"GET", "/v2/library/debian/manifests/..", http.StatusBadRequest},
	}
	for _, test := range tests {
		if got, body := ask(t, s, test.method, test.path); got.StatusCode != test.status {
			t.Errorf("%s %s: %d, want %d: %s", test.method, test.path, got.StatusCode, test.status, body)
		}
	}
}
