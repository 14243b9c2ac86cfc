package instance

import (
	"bytes"
	"fmt"
	"os"
)

// BundleFile holds the system's certificate authorities and the instance's own, for
// programs that take one file in place of the system's.
const BundleFile = "ca-bundle.pem"

// systemBundles is where systems keep their authorities, as Go's own list has it.
func systemBundles() []string {
	return []string{"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem", "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", "/etc/ssl/cert.pem"}
}

// writeBundle makes the bundle anew: the system's part may have changed.
func (i *Instance) writeBundle() error {
	own, err := os.ReadFile(i.Path("ca.pem"))
	if err != nil {
		return fmt.Errorf("read the certificate authority: %w", err)
	}
	for _, path := range systemBundles() {
		if system, err := os.ReadFile(path); err == nil {
			own = append(append(bytes.TrimSpace(system), '\n'), own...)
			break
		}
	}
	return i.writeFile(BundleFile, own)
}
