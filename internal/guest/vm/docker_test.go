package vm

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"mngr/internal/ctl"
)

// testHost is a machine in a directory of its own, on this computer's Docker engine. Its
// service is a supervisor inside the test.
func testHost(t *testing.T) *host {
	t.Helper()
	if out, err := exec.Command("docker", "version").CombinedOutput(); err != nil {
		t.Skipf("needs a Docker engine: %v: %s", err, lastLine(string(out)))
	}
	dir := t.TempDir()
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("mngrtest-%d-%s", os.Getpid(), strings.ToLower(regexp.MustCompile(`\W`).ReplaceAllString(t.Name(), "")))
	h := &host{
		state: filepath.Join(dir, "state"), run: filepath.Join(dir, "run"), signal: filepath.Join(dir, "signal"),
		log:       filepath.Join(dir, "cloud-init.log"),
		container: name, volume: name, tools: name,
		executable: executable,
		patience:   time.Hour,
		selfStop:   func(context.Context) (*bool, string) { return new(true), "" },
		metadata:   "http://127.0.0.1:1", // nobody answers there
		look:       50 * time.Millisecond,
		silence:    time.Hour,
		deallocate: func(context.Context) error {
			t.Error("a stopped host wanted to deallocate itself at once")
			return nil
		},
	}
	for _, d := range []string{h.state, h.run, h.signal} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(h.state, "setup-done"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var once sync.Once
	var supervisor sync.WaitGroup
	h.service = func(context.Context) error {
		once.Do(func() {
			supervisor.Go(func() {
				if err := h.supervise(ctx, t.Output()); err != nil {
					t.Error(err)
				}
			})
		})
		return nil
	}
	t.Cleanup(func() {
		cancel()
		supervisor.Wait()
		clean := context.Background()
		_, _ = docker(clean, "rm", "--force", "--volumes", h.container)
		_, _ = docker(clean, "volume", "rm", "--force", h.volume)
		images, _ := docker(clean, "images", "--quiet", h.tools)
		for image := range strings.FieldsSeq(images) {
			_, _ = docker(clean, "rmi", "--force", image)
		}
	})
	return h
}

// testImage makes an image of nothing but what the test program and sh need, and files.
func testImage(t *testing.T, h *host, tag string, programs []string, files map[string]string) string {
	t.Helper()
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	add := func(name string, content []byte) {
		header := &tar.Header{Name: strings.TrimPrefix(name, "/"), Mode: 0o755, Size: int64(len(content))}
		if err := w.WriteHeader(header); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(content); err != nil {
			t.Fatal(err)
		}
	}
	libraries := map[string]bool{}
	for _, program := range append(programs, h.executable) {
		// A static program has no libraries: ldd then fails.
		out, _ := exec.Command("ldd", program).Output()
		for _, path := range regexp.MustCompile(`/[^ )]+`).FindAllString(string(out), -1) {
			libraries[path] = true
		}
		if program != h.executable {
			content, err := os.ReadFile(program)
			if err != nil {
				t.Fatal(err)
			}
			add(program, content)
		}
	}
	for path := range libraries {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		add(path, content)
	}
	for name, content := range files {
		add(name, []byte(content))
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	image := h.tools + "-" + tag + ":1"
	load := exec.Command("docker", "import", "-", image)
	load.Stdin = &archive
	if out, err := load.CombinedOutput(); err != nil {
		t.Fatalf("import %s: %v: %s", image, err, out)
	}
	t.Cleanup(func() { _, _ = docker(context.Background(), "rmi", "--force", image) })
	return image
}

// complete are the files of an image that has all tools.
var complete = map[string]string{
	"/bin/tmux": "x", "/bin/git": "x", "/bin/rsync": "x", "/etc/ssl/certs/ca-certificates.crt": "x",
}

func freePort(t *testing.T) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port
}

const testKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFLchqZrKSNqHQwxn70xcvoLNumNiJAA5+rIDzfPzSwr me@laptop"

func setupOf(image string, port int) ctl.Setup {
	return ctl.Setup{
		HostID: "host-0123456789abcdef0123456789abcdef", HostName: "my-host", Provider: "azure",
		Image: image, SSHPort: port, AuthorizedKeys: []string{testKey},
		Idle: ctl.Idle{TimeoutSeconds: 900},
	}
}
