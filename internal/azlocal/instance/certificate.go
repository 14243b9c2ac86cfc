package instance

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"slices"
	"strings"
	"time"
)

// Lifetimes of certificates. A server's is renewed when less than a third is left. They
// begin in the past, so that a clock that is set back does not make them useless.
const (
	caLife     = 10 * 365 * 24 * time.Hour
	serverLife = 90 * 24 * time.Hour
	caPast     = 365 * 24 * time.Hour
	serverPast = 30 * 24 * time.Hour
)

// subjects are what a certificate is for.
type subjects struct {
	names     []string
	addresses []net.IP
}

// certificates returns what picks the certificate of a connection. Clients of loopback get
// one for loopback alone, whatever other names there are: they may know an authority that
// vouches for no more.
func (i *Instance) certificates(now time.Time) (func(*tls.ClientHelloInfo) (*tls.Certificate, error), error) {
	ca, caKey, err := i.authority(now)
	if err != nil {
		return nil, err
	}
	own := subjects{names: []string{"localhost"}, addresses: []net.IP{net.IPv4(127, 0, 0, 1).To4(), net.IPv6loopback}}
	first, err := i.serverCertificate("server", own, ca, caKey, now)
	if err != nil {
		return nil, err
	}
	faces := subjects{names: i.Faces.Names, addresses: i.Faces.addresses()}
	if len(faces.names)+len(faces.addresses) == 0 {
		return func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return first, nil }, nil
	}
	second, err := i.serverCertificate("names", faces, ca, caKey, now)
	if err != nil {
		return nil, err
	}
	return func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		if name := strings.ToLower(hello.ServerName); name != "" {
			if slices.Contains(faces.names, name) {
				return second, nil
			}
			return first, nil
		}
		if at, ok := hello.Conn.LocalAddr().(*net.TCPAddr); ok && slices.ContainsFunc(faces.addresses, at.IP.Equal) && !slices.ContainsFunc(own.addresses, at.IP.Equal) {
			return second, nil
		}
		return first, nil
	}, nil
}

// authority reads or makes the certificate authority. Its name constraints keep it from
// vouching for anything but this computer and the names that the instance was given,
// whoever trusts it. When those change, its certificate is made anew with the same key.
func (i *Instance) authority(now time.Time) (*x509.Certificate, crypto.Signer, error) {
	key, err := i.key("ca.key", newKey)
	if err != nil {
		return nil, nil, err
	}
	ca, err := i.readCertificate("ca.pem")
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, nil, err
	case i.constrains(ca) && now.After(ca.NotBefore) && now.Before(ca.NotAfter):
		return ca, key, nil
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: "mngr local Azure " + i.ID},
		NotBefore: now.Add(-caPast), NotAfter: now.Add(caLife), IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true,
		KeyUsage:                    x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		PermittedDNSDomainsCritical: true, PermittedDNSDomains: i.permittedNames(), PermittedIPRanges: i.permittedRanges(),
	}
	data, err := certificate(template, template, key.Public(), key)
	if err == nil {
		err = i.writeFile("ca.pem", data)
	}
	if err != nil {
		return nil, nil, err
	}
	ca, err = i.readCertificate("ca.pem")
	return ca, key, err
}

func (i *Instance) permittedNames() []string { return append([]string{"localhost"}, i.Faces.Names...) }

func (i *Instance) permittedRanges() []*net.IPNet {
	out := []*net.IPNet{{IP: net.IPv4(127, 0, 0, 0).To4(), Mask: net.CIDRMask(8, 32)}, {IP: net.IPv6loopback, Mask: net.CIDRMask(128, 128)}}
	for _, ip := range i.Faces.addresses() {
		if !ip.IsLoopback() {
			out = append(out, &net.IPNet{IP: ip, Mask: net.CIDRMask(8*len(ip), 8*len(ip))})
		}
	}
	return out
}

// constrains tells whether an authority vouches for what the instance wants, and no more.
func (i *Instance) constrains(ca *x509.Certificate) bool {
	return slices.Equal(ca.PermittedDNSDomains, i.permittedNames()) &&
		slices.EqualFunc(ca.PermittedIPRanges, i.permittedRanges(), func(a, b *net.IPNet) bool { return a.String() == b.String() })
}

// NewAuthority tells whether the next start makes the authority's certificate anew, so that
// copies of the present one will be of no use for what is new.
func (i *Instance) NewAuthority() bool {
	ca, err := i.readCertificate("ca.pem")
	return err == nil && !i.constrains(ca)
}

// serverCertificate reads or makes NAME.pem, whose key is NAME.key.
func (i *Instance) serverCertificate(name string, who subjects, ca *x509.Certificate, caKey crypto.Signer, now time.Time) (*tls.Certificate, error) {
	key, err := i.key(name+".key", newKey)
	if err != nil {
		return nil, err
	}
	leaf, err := i.readCertificate(name + ".pem")
	if err == nil && leaf.NotAfter.Sub(now) > serverLife/3 && now.After(leaf.NotBefore) && leaf.CheckSignatureFrom(ca) == nil &&
		slices.Equal(leaf.DNSNames, who.names) && slices.EqualFunc(leaf.IPAddresses, who.addresses, net.IP.Equal) {
		return &tls.Certificate{Certificate: [][]byte{leaf.Raw}, PrivateKey: key}, nil
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: "mngr local Azure " + i.ID + " " + name},
		NotBefore: now.Add(-serverPast), NotAfter: now.Add(serverLife),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames: who.names, IPAddresses: who.addresses,
	}
	data, err := certificate(template, ca, key.Public(), caKey)
	if err == nil {
		err = i.writeFile(name+".pem", data)
	}
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(data)
	return &tls.Certificate{Certificate: [][]byte{block.Bytes}, PrivateKey: key}, nil
}

func (i *Instance) readCertificate(name string) (*x509.Certificate, error) {
	data, err := os.ReadFile(i.Path(name))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, &Damaged{File: i.Path(name), Err: errors.New("it holds no certificate")}
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, &Damaged{File: i.Path(name), Err: err}
	}
	return cert, nil
}

func newKey() (crypto.Signer, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) }
