package sshd

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
)

func TestLoginWantsRootAndAnAuthorizedKey(t *testing.T) {
	h := newHost(t)
	other := newKey(t, filepath.Join(h.dir, "other"))
	tests := []struct {
		name   string
		user   string
		signer ssh.Signer
		ok     bool
	}{
		{"control", "root", h.signer, true},
		{"another user", "admin", h.signer, false},
		{"another key", "root", other, false},
	}
	for _, tt := range tests {
		c, err := h.login(tt.user, tt.signer)
		if (err == nil) != tt.ok {
			t.Errorf("%s: %v", tt.name, err)
		}
		if c != nil {
			c.Close()
		}
	}
	if got := h.ssh("-o", "PubkeyAuthentication=no", "c", "true"); got.status != 255 {
		t.Errorf("without a key: %+v", got)
	}
}

func TestKeysAreReadAtEachConnection(t *testing.T) {
	h := newHost(t)
	if got := h.ssh("c", "true"); got.status != 0 {
		t.Fatalf("before: %+v", got)
	}
	h.authorize(newKey(t, filepath.Join(h.dir, "other")).PublicKey())
	if got := h.ssh("c", "true"); got.status != 255 {
		t.Fatalf("revoked: %+v", got)
	}
	h.authorize(h.signer.PublicKey())
	if got := h.ssh("c", "true"); got.status != 0 {
		t.Fatalf("again: %+v", got)
	}
}

func TestAuthorizedKeysWithOptionsAreLeftOut(t *testing.T) {
	plain := newKey(t, filepath.Join(t.TempDir(), "a")).PublicKey()
	limited := newKey(t, filepath.Join(t.TempDir(), "b")).PublicKey()
	file := "# comment\n\nnonsense\n" + string(ssh.MarshalAuthorizedKey(plain)) +
		`command="true" ` + string(ssh.MarshalAuthorizedKey(limited))
	keys := parseAuthorizedKeys([]byte(file))
	if len(keys) != 1 || !keys[string(plain.Marshal())] {
		t.Fatalf("got %d keys", len(keys))
	}
}

func TestMissingKeysFileLetsNobodyIn(t *testing.T) {
	h := newHost(t)
	must(t, os.Remove(filepath.Join(h.dir, "authorized_keys")))
	if got := h.ssh("c", "true"); got.status != 255 {
		t.Fatalf("got %+v", got)
	}
}

func TestSilentConnectionsKeepNobodyOut(t *testing.T) {
	h := newHost(t)
	var silent []net.Conn
	for range 3 * maxLobby {
		c, err := net.Dial("tcp", h.addr)
		must(t, err)
		defer c.Close()
		silent = append(silent, c)
	}
	if got := h.ssh("c", "echo in"); got.stdout != "in\n" {
		t.Fatalf("got %+v", got)
	}
	// The oldest was dropped: after the server's greeting comes the end.
	data, err := io.ReadAll(silent[0])
	if err != nil && !strings.Contains(err.Error(), "reset") {
		t.Fatal(err)
	}
	if len(data) > 0 && !strings.HasPrefix(string(data), "SSH-2.0-mngrd") {
		t.Fatalf("got %q", data)
	}
}
