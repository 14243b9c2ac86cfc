package instance

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"
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
	if len(secret) < 16 {
		return nil, &Damaged{File: i.Path("client_secret"), Err: errors.New("it holds no secret")}
	}
	tokens, err := i.key("entra.key", func() (crypto.Signer, error) { return rsa.GenerateKey(rand.Reader, 2048) })
	if err != nil {
		return nil, err
	}
	rsaKey, ok := tokens.(*rsa.PrivateKey)
	if !ok {
		return nil, &Damaged{File: i.Path("entra.key"), Err: errors.New("it is no RSA key")}
	}
	choose, err := i.certificates(now)
	if err != nil {
		return nil, err
	}
	return &Keys{TLS: &tls.Config{GetCertificate: choose, MinVersion: tls.VersionTLS12}, Tokens: rsaKey, ClientSecret: string(secret)}, nil
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
		return nil, &Damaged{File: i.Path(name), Err: errors.New("it holds no key")}
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, &Damaged{File: i.Path(name), Err: err}
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, &Damaged{File: i.Path(name), Err: errors.New("its key cannot sign")}
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
