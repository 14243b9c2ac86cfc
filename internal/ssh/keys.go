package ssh

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/crypto/ssh"
	"golang.org/x/sys/unix"

	"mngr/internal/agent"
	"mngr/internal/atomicfile"
)

// KeyPair is an Ed25519 key as files carry it.
type KeyPair struct {
	PrivatePEM    []byte // OpenSSH format, not encrypted
	AuthorizedKey string // "ssh-ed25519 AAAA…", no comment, no newline
}

// GenerateKey makes an Ed25519 key pair. comment goes into the private key's file only.
func GenerateKey(comment string) (KeyPair, error) {
	pub, priv, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return KeyPair{}, fmt.Errorf("generate an ed25519 key: %w", err)
	}
	block, err := ssh.MarshalPrivateKey(priv, comment)
	if err != nil {
		return KeyPair{}, fmt.Errorf("encode an ed25519 key: %w", err)
	}
	sshPub, err := ssh.NewPublicKey(pub)
	if err != nil {
		return KeyPair{}, fmt.Errorf("encode an ed25519 public key: %w", err)
	}
	return KeyPair{
		PrivatePEM:    pem.EncodeToMemory(block),
		AuthorizedKey: strings.TrimSpace(string(ssh.MarshalAuthorizedKey(sshPub))),
	}, nil
}

// ClientKey is this machine's key for the hosts of one provider instance.
type ClientKey struct {
	Path          string // of the private half, mode 0600
	AuthorizedKey string
	signer        ssh.Signer
}

// Identity keeps the client keys of a base directory: one per provider instance, in
// <base>/keys/<instance>/id_ed25519.
type Identity struct{ Base string }

// Path is where the private half of an instance's key lies, made or not.
func (i Identity) Path(instance string) string {
	return filepath.Join(i.Base, "keys", instance, "id_ed25519")
}

// Load returns the instance's key; fs.ErrNotExist when this machine never made one.
func (i Identity) Load(instance string) (*ClientKey, error) {
	path := i.Path(instance)
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the client key: %w", err)
	}
	signer, err := ssh.ParsePrivateKey(text)
	if err != nil {
		return nil, fmt.Errorf("read the client key %s: %w", path, err)
	}
	public := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(signer.PublicKey())))
	return &ClientKey{Path: path, AuthorizedKey: public, signer: signer}, nil
}

// Ensure returns the instance's key and makes it the first time. Processes that race
// end up with the same key.
func (i Identity) Ensure(instance string) (*ClientKey, error) {
	key, err := i.ensure(instance)
	if err != nil {
		return nil, &agent.Error{Kind: agent.KindOf(err), Cause: err.Error(), Err: err,
			Hint: "let " + filepath.Dir(i.Path(instance)) + " be read and written, or set MNGR_HOST_DIR to a directory that can be"}
	}
	return key, nil
}

func (i Identity) ensure(instance string) (*ClientKey, error) {
	key, err := i.Load(instance)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	path := i.Path(instance)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("make the key directory: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(filepath.Dir(path), ".lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the key directory: %w", err)
	}
	defer lock.Close()
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX); err != nil {
		return nil, fmt.Errorf("lock the key directory: %w", err)
	}
	if key, err := i.Load(instance); !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	pair, err := GenerateKey("mngr " + instance)
	if err != nil {
		return nil, err
	}
	if err := atomicfile.Write(path+".pub", []byte(pair.AuthorizedKey+"\n"), 0o644); err != nil {
		return nil, err
	}
	if err := atomicfile.Write(path, pair.PrivatePEM, 0o600); err != nil {
		return nil, err
	}
	return i.Load(instance)
}
