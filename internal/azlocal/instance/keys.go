package instance

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"time"
)

// Lifetimes of certificates. A server's is renewed when less than a third is left.
const (
	caLife     = 10 * 365 * 24 * time.Hour
	serverLife = 90 * 24 * time.Hour
)

// Keys are the secrets of an instance.
type Keys struct {
	TLS          *tls.Config
	Tokens       *rsa.PrivateKey
	ClientSecret string
}

// Keys reads the secrets and makes those that are missing or near their end.
func (i *Instance) Keys(now time.Time) (*Keys, error) {
	secret, err := i.readOrMake("client_secret", newSecret)
	if err != nil {
		return nil, err
	}
	tokens, err := i.key("entra.key", func() (crypto.Signer, error) { return rsa.GenerateKey(rand.Reader, 2048) })
	if err != nil {
		return nil, err
	}
	rsaKey, ok := tokens.(*rsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("%s is no RSA key", i.Path("entra.key"))
	}
	cert, err := i.serverCertificate(now)
	if err != nil {
		return nil, err
	}
	return &Keys{
		TLS:    &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12},
		Tokens: rsaKey, ClientSecret: string(secret),
	}, nil
}

// authority reads or makes the certificate authority. Its name constraints keep it from
// vouching for anything but this computer, whoever trusts it.
func (i *Instance) authority(now time.Time) (*x509.Certificate, crypto.Signer, error) {
	key, err := i.key("ca.key", func() (crypto.Signer, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) })
	if err != nil {
		return nil, nil, err
	}
	data, err := i.readOrMake("ca.pem", func() ([]byte, error) {
		loopback4 := &net.IPNet{IP: net.IPv4(127, 0, 0, 0).To4(), Mask: net.CIDRMask(8, 32)}
		loopback6 := &net.IPNet{IP: net.IPv6loopback, Mask: net.CIDRMask(128, 128)}
		template := &x509.Certificate{
			SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: "mngr local Azure " + i.ID},
			NotBefore: now.Add(-time.Hour), NotAfter: now.Add(caLife), IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true,
			KeyUsage:                    x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
			PermittedDNSDomainsCritical: true, PermittedDNSDomains: []string{"localhost"}, PermittedIPRanges: []*net.IPNet{loopback4, loopback6},
		}
		return certificate(template, template, key.Public(), key)
	})
	if err != nil {
		return nil, nil, err
	}
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, nil, fmt.Errorf("%s holds no certificate", i.Path("ca.pem"))
	}
	ca, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, nil, fmt.Errorf("read the authority: %w", err)
	}
	return ca, key, nil
}

func (i *Instance) serverCertificate(now time.Time) (tls.Certificate, error) {
	ca, caKey, err := i.authority(now)
	if err != nil {
		return tls.Certificate{}, err
	}
	key, err := i.key("server.key", func() (crypto.Signer, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) })
	if err != nil {
		return tls.Certificate{}, err
	}
	if data, err := os.ReadFile(i.Path("server.pem")); err == nil {
		if block, _ := pem.Decode(data); block != nil {
			leaf, err := x509.ParseCertificate(block.Bytes)
			if err == nil && leaf.NotAfter.Sub(now) > serverLife/3 && leaf.CheckSignatureFrom(ca) == nil {
				return tls.Certificate{Certificate: [][]byte{block.Bytes}, PrivateKey: key}, nil
			}
		}
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: "localhost"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(serverLife),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	data, err := certificate(template, ca, key.Public(), caKey)
	if err != nil {
		return tls.Certificate{}, err
	}
	if err := i.writeFile("server.pem", data); err != nil {
		return tls.Certificate{}, err
	}
	block, _ := pem.Decode(data)
	return tls.Certificate{Certificate: [][]byte{block.Bytes}, PrivateKey: key}, nil
}

func certificate(template, parent *x509.Certificate, public crypto.PublicKey, signer crypto.Signer) ([]byte, error) {
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, signer)
	if err != nil {
		return nil, fmt.Errorf("make a certificate: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), nil
}

func (i *Instance) key(name string, generate func() (crypto.Signer, error)) (crypto.Signer, error) {
	data, err := i.readOrMake(name, func() ([]byte, error) {
		key, err := generate()
		if err != nil {
			return nil, err
		}
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			return nil, err
		}
		return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
	})
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, fmt.Errorf("%s holds no key", i.Path(name))
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("%s cannot sign", i.Path(name))
	}
	return signer, nil
}

func newSecret() ([]byte, error) {
	raw := make([]byte, 24)
	if _, err := rand.Read(raw); err != nil {
		return nil, fmt.Errorf("make a secret: %w", err)
	}
	return []byte(hex.EncodeToString(raw)), nil
}

func (i *Instance) readOrMake(name string, create func() ([]byte, error)) ([]byte, error) {
	data, err := os.ReadFile(i.Path(name))
	if err == nil {
		return data, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	if data, err = create(); err != nil {
		return nil, fmt.Errorf("make %s: %w", name, err)
	}
	return data, i.writeFile(name, data)
}
