// Package seed writes what a machine's guest gets to know before it boots for the first
// time. Only packages under internal/azlocal/machine import it.
package seed

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"fmt"

	"mngr/internal/azlocal/machine"
)

// File is a file of the guest; its name has no leading slash.
type File struct {
	Name string
	Mode int64
	Data []byte
}

// Tar is the tar file with what Azure hands to cloud-init (NoCloud's seed directory in
// place of ovf-env.xml): instance id, host name and keys as metadata, customData as user
// data. As on Azure the administrator is cloud-init's default user under another name, so
// that osProfile and customData both apply. More files may be added, in directories that
// the image has.
func Tar(spec machine.Spec, more ...File) ([]byte, error) {
	meta, err := json.Marshal(map[string]any{"instance-id": spec.VMID, "local-hostname": spec.ComputerName, "public-keys": spec.AdminKeys})
	if err != nil {
		return nil, err
	}
	profile, err := json.Marshal(map[string]any{"system_info": map[string]any{"default_user": map[string]any{"name": spec.AdminUsername}}})
	if err != nil {
		return nil, err
	}
	const dir = "var/lib/cloud/seed/nocloud/"
	files := []File{{dir + "meta-data", 0o600, meta}, {dir + "user-data", 0o600, spec.CustomData}}
	if spec.AdminUsername != "" {
		files = append(files, File{"etc/cloud/cloud.cfg.d/91_osprofile.cfg", 0o600, profile})
	}
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, parent := range []string{"var/lib/cloud/", "var/lib/cloud/seed/", dir} {
		if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: parent, Mode: 0o755}); err != nil {
			return nil, err
		}
	}
	for _, f := range append(files, more...) {
		if err := w.WriteHeader(&tar.Header{Name: f.Name, Mode: f.Mode, Size: int64(len(f.Data))}); err != nil {
			return nil, err
		}
		if _, err := w.Write(f.Data); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("pack cloud-init's seed: %w", err)
	}
	return out.Bytes(), nil
}
