package seed

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mngr/internal/azlocal/machine"
)

func unpack(t *testing.T, data []byte) map[string]string {
	t.Helper()
	files := map[string]string{}
	for in := tar.NewReader(bytes.NewReader(data)); ; {
		header, err := in.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		if header.Typeflag == tar.TypeReg {
			files[header.Name] = string(content)
			if header.Mode&0o077 != 0 && header.Name != "etc/hosts" {
				t.Errorf("%s may be read by all: %o", header.Name, header.Mode)
			}
		}
	}
}

func TestTar(t *testing.T) {
	spec := machine.Spec{VMID: "1111", ComputerName: "vm1", AdminKeys: []string{"ssh-ed25519 AAAA"}, CustomData: []byte("#!/bin/sh\n")}
	data, err := Tar(spec, File{Name: "etc/hosts", Mode: 0o644, Data: []byte("127.0.1.1 vm1\n")})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"var/lib/cloud/seed/nocloud/meta-data": `{"instance-id":"1111","local-hostname":"vm1","public-keys":["ssh-ed25519 AAAA"]}`,
		"var/lib/cloud/seed/nocloud/user-data": "#!/bin/sh\n",
		"etc/hosts":                            "127.0.1.1 vm1\n",
	}
	if diff := cmp.Diff(want, unpack(t, data)); diff != "" {
		t.Error(diff)
	}
	spec.AdminUsername = "ada"
	if data, err = Tar(spec); err != nil {
		t.Fatal(err)
	}
	if got := unpack(t, data)["etc/cloud/cloud.cfg.d/91_osprofile.cfg"]; got != `{"system_info":{"default_user":{"name":"ada"}}}` {
		t.Errorf("the administrator: %s", got)
	}
}
