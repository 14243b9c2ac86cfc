package sshd

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"

	"golang.org/x/crypto/ssh"
)

const maxKeysFile = 1 << 20 // bytes

var errRefused = errors.New("not authorized")

// login returns the rules for one connection: root, with a key that is in the file now.
func (s *Server) login(log *slog.Logger) *ssh.ServerConfig {
	keys, err := readAuthorizedKeys(s.cfg.AuthorizedKeys)
	if err != nil {
		log.Error("nobody can log in", "err", err)
	}
	cfg := &ssh.ServerConfig{
		ServerVersion: "SSH-2.0-mngrd",
		MaxAuthTries:  maxAuthTries,
		PublicKeyCallback: func(meta ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
			if meta.User() != "root" || !keys[string(key.Marshal())] {
				return nil, errRefused
			}
			return &ssh.Permissions{}, nil
		},
	}
	cfg.AddHostKey(s.cfg.HostKey)
	return cfg
}

// readAuthorizedKeys returns the set of keys in wire form. A line with options is left
// out: they restrict a key in ways that this server does not know.
func readAuthorizedKeys(path string) (map[string]bool, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read authorized keys: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxKeysFile))
	if err != nil {
		return nil, fmt.Errorf("read authorized keys: %w", err)
	}
	return parseAuthorizedKeys(data), nil
}

func parseAuthorizedKeys(data []byte) map[string]bool {
	keys := make(map[string]bool)
	for line := range bytes.Lines(data) {
		key, _, options, _, err := ssh.ParseAuthorizedKey(line)
		if err == nil && len(options) == 0 {
			keys[string(key.Marshal())] = true
		}
	}
	return keys
}

// LoadHostKey reads a private key in OpenSSH's form.
func LoadHostKey(path string) (ssh.Signer, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read host key: %w", err)
	}
	key, err := ssh.ParsePrivateKey(data)
	if err != nil {
		return nil, fmt.Errorf("read host key %s: %w", path, err)
	}
	return key, nil
}
