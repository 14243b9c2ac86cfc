package registry

import (
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"regexp"
	"strings"
)

// Grammar of names, tags and digests in the distribution specification.
var (
	namePattern   = regexp.MustCompile(`^[a-z0-9]+(?:[._-][a-z0-9]+)*(?:/[a-z0-9]+(?:[._-][a-z0-9]+)*)*$`)
	tagPattern    = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$`)
	digestPattern = regexp.MustCompile(`^sha256:([0-9a-f]{64})$`)
)

// ServeHTTP answers GET and HEAD of manifests and blobs.
func (s *Store) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Docker-Distribution-Api-Version", "registry/2.0")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		refuse(w, http.StatusMethodNotAllowed, "UNSUPPORTED", "this registry is read-only")
		return
	}
	rest, ok := strings.CutPrefix(r.URL.Path, "/v2/")
	if !ok {
		refuse(w, http.StatusNotFound, "NAME_UNKNOWN", "this is a registry of API version 2")
		return
	}
	if rest == "" {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte("{}"))
		return
	}
	if name, reference, ok := cut(rest, "/manifests/"); ok {
		s.serveManifest(w, r, name, reference)
	} else if _, digest, ok := cut(rest, "/blobs/"); ok {
		s.serveBlob(w, r, digest, "application/octet-stream", "BLOB_UNKNOWN")
	} else {
		refuse(w, http.StatusNotFound, "NAME_UNKNOWN", "only manifests and blobs are served")
	}
}

// cut splits at the last separator, since a repository's name may hold it too.
func cut(path, separator string) (name, reference string, ok bool) {
	at := strings.LastIndex(path, separator)
	if at < 0 || !namePattern.MatchString(path[:at]) {
		return "", "", false
	}
	return path[:at], path[at+len(separator):], true
}

func (s *Store) serveManifest(w http.ResponseWriter, r *http.Request, name, reference string) {
	if tagPattern.MatchString(reference) {
		digest, err := os.ReadFile(s.tagFile(name, reference))
		if err != nil {
			refuse(w, http.StatusNotFound, "MANIFEST_UNKNOWN", "this registry has no "+name+":"+reference)
			return
		}
		reference = string(digest)
	}
	s.serveBlob(w, r, reference, manifestType, "MANIFEST_UNKNOWN")
}

func (s *Store) serveBlob(w http.ResponseWriter, r *http.Request, digest, mediaType, unknown string) {
	match := digestPattern.FindStringSubmatch(digest)
	if match == nil {
		refuse(w, http.StatusBadRequest, "DIGEST_INVALID", "a digest is sha256: and 64 hexadecimal digits")
		return
	}
	file, err := os.Open(s.blobFile(match[1]))
	if errors.Is(err, fs.ErrNotExist) {
		refuse(w, http.StatusNotFound, unknown, "this registry has no "+digest)
		return
	}
	if err != nil {
		refuse(w, http.StatusInternalServerError, "UNKNOWN", "the registry cannot read its directory")
		return
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		refuse(w, http.StatusInternalServerError, "UNKNOWN", "the registry cannot read its directory")
		return
	}
	w.Header().Set("Content-Type", mediaType)
	w.Header().Set("Docker-Content-Digest", digest)
	w.Header().Set("ETag", `"`+digest+`"`)
	http.ServeContent(w, r, "", info.ModTime(), file)
}

func refuse(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"errors": []map[string]string{{"code": code, "message": message}}})
}
