package ssh

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/crypto/ssh"

	"mngr/internal/agent"
)

func TestEnsureMakesOneKeyForAll(t *testing.T) {
	id := Identity{Base: t.TempDir()}
	keys := make([]string, 8)
	var wg sync.WaitGroup
	for i := range keys {
		wg.Go(func() {
			key, err := id.Ensure("azure")
			if err != nil {
				t.Error(err)
				return
			}
			keys[i] = key.AuthorizedKey
		})
	}
	wg.Wait()
	for _, k := range keys {
		if k != keys[0] || !strings.HasPrefix(k, "ssh-ed25519 ") {
			t.Fatalf("keys differ: %q", keys)
		}
	}
	info, err := os.Stat(filepath.Join(id.Base, "keys", "azure", "id_ed25519"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("private key: %v, %v, want mode 0600", info.Mode(), err)
	}
}

func TestAPinBeatsThePublishedKey(t *testing.T) {
	pins := Pins{Base: t.TempDir()}
	id := agent.NewHostID()
	first := agent.HostKeys{VM: "ssh-ed25519 AAAA1"}
	if _, err := pins.Merge(id, first); err != nil {
		t.Fatal(err)
	}
	got, err := pins.Merge(id, agent.HostKeys{VM: first.VM, Container: "ssh-ed25519 AAAA2"})
	if err != nil || got.Container != "ssh-ed25519 AAAA2" {
		t.Fatalf("adding a key: %v, %v", got, err)
	}
	_, err = pins.Merge(id, agent.HostKeys{VM: "ssh-ed25519 EVIL"})
	if agent.KindOf(err) != agent.KindRefused {
		t.Fatalf("another key: %v, want a refusal", err)
	}
	if kept, _ := pins.Load(id); kept.VM != first.VM {
		t.Fatalf("the pin became %q", kept.VM)
	}
	if err := pins.Forget(id); err != nil {
		t.Fatal(err)
	}
	if kept, _ := pins.Load(id); kept != (agent.HostKeys{}) {
		t.Fatalf("forgotten host still has %v", kept)
	}
}

// A small server with two accepted keys stands in for sshd; mngrd's and OpenSSH's own are
// met in the end-to-end tests.
func testServer(t *testing.T, accept string) Target {
	t.Helper()
	pair, err := GenerateKey("test")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.ParsePrivateKey(pair.PrivatePEM)
	if err != nil {
		t.Fatal(err)
	}
	config := &ssh.ServerConfig{PublicKeyCallback: func(_ ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
		if strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key))) != accept {
			return nil, errors.New("unknown key")
		}
		return nil, nil
	}}
	config.AddHostKey(signer)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go serve(c, config)
		}
	}()
	addr := l.Addr().(*net.TCPAddr)
	return Target{Address: "127.0.0.1", Port: addr.Port, HostKey: pair.AuthorizedKey}
}

func serve(c net.Conn, config *ssh.ServerConfig) {
	_, channels, requests, err := ssh.NewServerConn(c, config)
	if err != nil {
		return
	}
	go ssh.DiscardRequests(requests)
	for ch := range channels {
		channel, reqs, err := ch.Accept()
		if err != nil {
			return
		}
		for r := range reqs {
			_ = r.Reply(r.Type == "exec", nil)
			if r.Type == "exec" {
				_, _ = channel.Write([]byte("hello"))
				_, _ = channel.SendRequest("exit-status", false, []byte{0, 0, 0, 7})
				channel.Close()
			}
		}
	}
}

func TestDialTellsTheReasonsApart(t *testing.T) {
	id := Identity{Base: t.TempDir()}
	known, err := id.Ensure("known")
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := id.Ensure("stranger")
	if err != nil {
		t.Fatal(err)
	}
	target := testServer(t, known.AuthorizedKey)

	client, err := Dial(t.Context(), target, known)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	var out strings.Builder
	code, err := client.Run(t.Context(), Command{Line: "anything", Stdout: &out})
	if err != nil || code != 7 || out.String() != "hello" {
		t.Fatalf("Run = %d, %v, output %q", code, err, out.String())
	}

	for name, key := range map[string]*ClientKey{"another key": stranger, "no key": nil} {
		if _, err := Dial(t.Context(), target, key); !errors.Is(err, ErrNoAuth) {
			t.Errorf("%s: %v, want ErrNoAuth", name, err)
		}
	}
	other := target
	other.HostKey = stranger.AuthorizedKey
	if _, err := Dial(t.Context(), other, known); agent.KindOf(err) != agent.KindRefused {
		t.Errorf("another host key: %v, want a refusal", err)
	}
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 1)
	defer cancel()
	dead := target
	dead.Port = silent.Addr().(*net.TCPAddr).Port
	if _, err := Dial(ctx, dead, known); agent.KindOf(err) != agent.KindUnreachable {
		t.Errorf("a silent server: %v, want unreachable", err)
	}
}
