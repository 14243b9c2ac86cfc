package vm

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mngr/internal/ctl"
	"mngr/internal/hostsetup"
	"mngr/internal/plain"
)

// fakeAPT stands for the package manager of an image: it "installs" by making files.
const fakeAPT = `#!/bin/sh
for word; do
	case $word in tmux | git | rsync) echo x >/bin/$word && chmod +x /bin/$word ;; ca-certificates) echo x >/etc/ssl/cert.pem ;; esac
done
echo "mngr:missing everything"
`

func TestMissingToolsAreInstalledOnce(t *testing.T) {
	h := testHost(t)
	image := testImage(t, h, "apt", []string{"/bin/sh", "/bin/rm", "/bin/chmod"}, map[string]string{
		"/bin/apt-get": fakeAPT, "/bin/git": "x", "/etc/ssl/openssl.cnf": "",
	})
	var phases []string
	phase := func(text string) { phases = append(phases, text) }
	layer, installed, err := h.completeImage(t.Context(), image, phase)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"tmux", "rsync", "ca-certificates"}, installed); diff != "" {
		t.Error(diff)
	}
	if !slices.Contains(phases, "installing tmux, rsync, ca-certificates with apt-get") {
		t.Errorf("phases: %q", phases)
	}
	phases = nil
	again, _, err := h.completeImage(t.Context(), image, phase)
	if err != nil || again != layer || len(phases) > 0 {
		t.Errorf("second time: %s (first %s), %v, phases %q", again, layer, err, phases)
	}
	// What was made is complete: it is taken as it is.
	whole, installed, err := h.completeImage(t.Context(), layer, phase)
	if err != nil || whole != layer || len(installed) > 0 {
		t.Errorf("the layer itself: %s, %v, %v", whole, installed, err)
	}
}

func TestUnsupportedImages(t *testing.T) {
	h := testHost(t)
	tests := map[string]struct {
		image string
		want  string
	}{
		"no manager": {
			testImage(t, h, "bare", []string{"/bin/sh"}, map[string]string{"/bin/tmux": "x"}),
			"lacks git, rsync, ca-certificates and has none of apt-get, apk, dnf",
		},
		"no shell": {testImage(t, h, "empty", nil, map[string]string{"/a": "x"}), "has no shell"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			setup := setupOf(test.image, freePort(t))
			answer, _ := h.do(t, ctl.OpHostSetup, &setup)
			if answer.Error == nil || answer.Error.Code != ctl.CodeUnsupported || !strings.Contains(answer.Error.Message, test.want) {
				t.Errorf("got %+v", answer.Error)
			}
		})
	}
	t.Run("manager fails", func(t *testing.T) {
		image := testImage(t, h, "broken", []string{"/bin/sh"}, map[string]string{"/bin/apt-get": "#!/bin/sh\necho no \x1b[31mnetwork\nexit 7\n"})
		setup := setupOf(image, freePort(t))
		answer, _ := h.do(t, ctl.OpHostSetup, &setup)
		if answer.Error == nil || answer.Error.Code != ctl.CodeFailed || !strings.Contains(answer.Error.Detail, "no [31mnetwork") {
			t.Errorf("got %+v", answer.Error)
		}
	})
}

// An image may print what it likes.
func FuzzReadMissing(f *testing.F) {
	f.Add("mngr:missing tmux git\nmngr:manager apt-get\n")
	f.Add("mngr:missing ; rm -rf / tmux tmux\nmngr:manager \x1b]0;x\a")
	f.Fuzz(func(t *testing.T, said string) {
		missing := readMissing(strings.NewReader(said), func(phase string) {
			if phase != plain.Line(phase, 300) {
				t.Errorf("phase %q", phase)
			}
		})
		for i, tool := range missing {
			if !slices.Contains(needed, tool) || slices.Contains(missing[:i], tool) {
				t.Errorf("missing %q", missing)
			}
		}
	})
}

// A failed installation is told at once, with the end of its log.
func TestSetupFailed(t *testing.T) {
	h := testHost(t)
	if err := os.Remove(h.state + "/" + hostsetup.FileSetupDone); err != nil {
		t.Fatal(err)
	}
	failed := "setup failed with status 100 while: installing docker.io\nE: Unable to locate package docker.io\n"
	if err := os.WriteFile(h.inRun(hostsetup.FileSetupFailed), []byte(failed), 0o600); err != nil {
		t.Fatal(err)
	}
	setup := setupOf("debian", 2222)
	answer, _ := h.do(t, ctl.OpHostSetup, &setup)
	if answer.Error == nil || !strings.Contains(answer.Error.Message, "status 100") || !strings.Contains(answer.Error.Detail, "Unable to locate") {
		t.Errorf("got %+v", answer.Error)
	}
}

func TestCheckSetup(t *testing.T) {
	good := setupOf("debian:bookworm-slim", 2222)
	if err := checkSetup(good); err != nil {
		t.Fatalf("positive control: %v", err)
	}
	for name, change := range map[string]func(*ctl.Setup){
		"host id":   func(s *ctl.Setup) { s.HostID = "x" },
		"flag":      func(s *ctl.Setup) { s.Image = "--privileged" },
		"no image":  func(s *ctl.Setup) { s.Image = "" },
		"port 22":   func(s *ctl.Setup) { s.SSHPort = 22 },
		"port":      func(s *ctl.Setup) { s.SSHPort = 65536 },
		"idle":      func(s *ctl.Setup) { s.Idle.TimeoutSeconds = -1 },
		"no key":    func(s *ctl.Setup) { s.AuthorizedKeys = nil },
		"bad key":   func(s *ctl.Setup) { s.AuthorizedKeys = []string{"hello"} },
		"two lines": func(s *ctl.Setup) { s.AuthorizedKeys = []string{testKey + "\n" + testKey} },
	} {
		s := good
		change(&s)
		if err := checkSetup(s); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// Requests that make no sense get an answer, not a panic.
func TestHandleRefuses(t *testing.T) {
	h := testHost(t)
	for name, request := range map[string]ctl.Request{
		"other version": {Version: ctl.Version + 1, Op: ctl.OpHostStatus},
		"no setup":      {Version: ctl.Version, Op: ctl.OpHostSetup},
		"unknown":       {Version: ctl.Version, Op: "agent.create"},
	} {
		if answer := h.handle(t.Context(), request, strings.NewReader(""), t.Output()); answer.Error == nil || answer.Version != ctl.Version {
			t.Errorf("%s: %+v", name, answer)
		}
	}
}

func TestLastStop(t *testing.T) {
	h := testHost(t)
	reason := "at=2026-11-22T00:00:00Z\ncause=idle\ndetail={\"reason\":\"idle\"}\n"
	if err := os.WriteFile(h.state+"/"+hostsetup.FileStopReason, []byte(reason), 0o600); err != nil {
		t.Fatal(err)
	}
	h.keepStopReason()
	h.keepStopReason() // a restart of mngrd within the same boot keeps it
	got, err := h.status(t.Context())
	if err != nil || got.LastStop == nil || got.LastStop.Cause != "idle" || got.LastStop.Detail != `{"reason":"idle"}` || got.LastStop.At.IsZero() {
		t.Errorf("got %+v, %v", got.LastStop, err)
	}
	if exists(h.state + "/" + hostsetup.FileStopReason) {
		t.Error("the next boot would read it again")
	}
}
