package vm

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/crypto/ssh"

	"mngr/internal/atomicfile"
	"mngr/internal/ctl"
	"mngr/internal/hostsetup"
)

// record is host.json: what this host was told to be and what was made of it.
type record struct {
	Setup            ctl.Setup `json:"setup"`
	ContainerID      string    `json:"container_id"`
	ContainerHostKey string    `json:"container_host_key"`
	Installed        []string  `json:"installed,omitempty"`
}

// readRecord returns nil before the first setup.
func (h *host) readRecord() (*record, error) {
	content, err := os.ReadFile(filepath.Join(h.state, hostsetup.FileHost))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var r record
	if err := json.Unmarshal(content, &r); err != nil {
		return nil, fmt.Errorf("read %s: %w", hostsetup.FileHost, err)
	}
	return &r, nil
}

func (h *host) writeRecord(r record) error {
	content, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return writeFile(filepath.Join(h.state, hostsetup.FileHost), append(content, '\n'), 0o600)
}

// writeGuest writes what the container may read, and returns its public host key.
func (h *host) writeGuest(setup ctl.Setup) (hostKey string, err error) {
	if err := os.MkdirAll(h.state, 0o700); err != nil {
		return "", err
	}
	if err := os.MkdirAll(h.guest(""), 0o755); err != nil { //nolint:gosec // mounted for the container, whose users read it
		return "", err
	}
	if err := h.copyMngrd(); err != nil {
		return "", fmt.Errorf("give mngrd to the container: %w", err)
	}
	config, err := json.MarshalIndent(struct {
		HostID   string   `json:"host_id"`
		HostName string   `json:"host_name"`
		Provider string   `json:"provider"`
		Idle     ctl.Idle `json:"idle"`
	}{setup.HostID, setup.HostName, setup.Provider, setup.Idle}, "", "  ")
	if err != nil {
		return "", err
	}
	if err := writeFile(h.guest("config.json"), append(config, '\n'), 0o644); err != nil {
		return "", err
	}
	keys := strings.Join(setup.AuthorizedKeys, "\n") + "\n"
	if err := writeFile(h.guest("authorized_keys"), []byte(keys), 0o644); err != nil {
		return "", err
	}
	return h.hostKey()
}

// copyMngrd makes the container's mngrd the same bytes as this one: a second name of the
// file where that is possible.
func (h *host) copyMngrd() error {
	target := h.guest("mngrd")
	ours, err := hashFile(h.executable)
	if err != nil {
		return err
	}
	if theirs, err := hashFile(target); err == nil && theirs == ours {
		return nil
	}
	fresh := target + ".new"
	if err := os.Remove(fresh); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if os.Link(h.executable, fresh) == nil {
		return os.Rename(fresh, target)
	}
	content, err := os.ReadFile(h.executable)
	if err != nil {
		return err
	}
	return writeFile(target, content, 0o755)
}

// hostKey makes the container's host key once, and returns the public half.
func (h *host) hostKey() (string, error) {
	path := h.guest("host_key")
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if content, err = newHostKey(); err == nil {
			err = writeFile(path, content, 0o600)
		}
	}
	if err != nil {
		return "", fmt.Errorf("make the container's host key: %w", err)
	}
	signer, err := ssh.ParsePrivateKey(content)
	if err != nil {
		return "", fmt.Errorf("read the container's host key: %w", err)
	}
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(signer.PublicKey()))), nil
}

func newHostKey() ([]byte, error) {
	_, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		return nil, err
	}
	block, err := ssh.MarshalPrivateKey(private, "")
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(block), nil
}

// writeFile replaces a file in one step, or leaves it alone when it is as it should be.
func writeFile(path string, content []byte, mode fs.FileMode) error {
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, content) {
		return os.Chmod(path, mode)
	}
	return atomicfile.Write(path, content, mode)
}

// hashFile returns a file's SHA-256 in hexadecimal.
func hashFile(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, file); err != nil {
		return "", err
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}
