package docker

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"fmt"

	"mngr/internal/azlocal/machine"
)

// seed is the tar file with what Azure hands to cloud-init (NoCloud's seed directory in
// place of ovf-env.xml): instance id, host name and keys as metadata, customData as user
// data. As on Azure the administrator is cloud-init's default user under another name, so
// that osProfile and customData both apply.
func seed(spec machine.Spec) ([]byte, error) {
	meta, err := json.Marshal(map[string]any{"instance-id": spec.VMID, "local-hostname": spec.ComputerName, "public-keys": spec.AdminKeys})
	if err != nil {
		return nil, err
	}
	profile, err := json.Marshal(map[string]any{"system_info": map[string]any{"default_user": map[string]any{"name": spec.AdminUsername}}})
	if err != nil {
		return nil, err
	}
	type file struct {
		name string
		data []byte
	}
	const dir = "var/lib/cloud/seed/nocloud/"
	files := []file{{dir + "meta-data", meta}, {dir + "user-data", spec.CustomData}}
	if spec.AdminUsername != "" {
		files = append(files, file{"etc/cloud/cloud.cfg.d/91_osprofile.cfg", profile})
	}
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, parent := range []string{"var/lib/cloud/", "var/lib/cloud/seed/", dir} {
		if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: parent, Mode: 0o755}); err != nil {
			return nil, err
		}
	}
	for _, f := range files {
		if err := w.WriteHeader(&tar.Header{Name: f.name, Mode: 0o600, Size: int64(len(f.data))}); err != nil {
			return nil, err
		}
		if _, err := w.Write(f.data); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("pack cloud-init's seed: %w", err)
	}
	return out.Bytes(), nil
}
