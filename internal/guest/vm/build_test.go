package vm

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mngr/internal/ctl"
)

const buildHost = "host-00000000000000000000000000000b1d"

// pack makes the stream of a build.
func pack(t *testing.T, headers []tar.Header, content string) []byte {
	t.Helper()
	packed := bytes.NewBufferString("\n")
	compressed := gzip.NewWriter(packed)
	archive := tar.NewWriter(compressed)
	for _, header := range headers {
		if header.Typeflag == tar.TypeReg {
			header.Size = int64(len(content))
		}
		if err := archive.WriteHeader(&header); err != nil {
			t.Fatal(err)
		}
		if header.Typeflag == tar.TypeReg {
			if _, err := io.WriteString(archive, content); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	if err := compressed.Close(); err != nil {
		t.Fatal(err)
	}
	return packed.Bytes()
}

func buildStream(t *testing.T, dockerfile string) []byte {
	return pack(t, []tar.Header{
		{Name: "Dockerfile", Typeflag: tar.TypeReg, Mode: 0o600},
		{Name: "context/", Typeflag: tar.TypeDir, Mode: 0o755},
		{Name: "context/file", Typeflag: tar.TypeReg, Mode: 0o644},
	}, dockerfile)
}

func (h *host) doBuild(t *testing.T, b ctl.Build, stream []byte) (ctl.Answer, string) {
	t.Helper()
	var said strings.Builder
	request := ctl.Request{Version: ctl.Version, Op: ctl.OpHostBuild, Build: &b}
	answer := h.handle(t.Context(), request, bytes.NewReader(stream), &said)
	if exists(h.buildDir()) {
		t.Error("the build's directory is left")
	}
	return answer, said.String()
}

func TestBuild(t *testing.T) {
	h := testHost(t)
	image := ctl.BuiltImage(buildHost)
	t.Cleanup(func() { _, _ = docker(context.Background(), "rmi", "--force", image) })
	look := ctl.Build{HostID: buildHost, Args: []string{"--build-arg=TOKEN"}, Env: map[string]string{"TOKEN": "s3cret-value"}}
	send := look
	send.Send = true

	if answer, _ := h.doBuild(t, look, nil); answer.Error != nil || answer.Build.Built {
		t.Fatalf("before: %+v", answer)
	}
	answer, said := h.doBuild(t, send, buildStream(t, "FROM scratch\nARG TOKEN\nCOPY file /$TOKEN\n"))
	if answer.Error != nil || !answer.Build.Built {
		t.Fatalf("build: %+v\n%s", answer.Error, said)
	}
	if !strings.Contains(said, ctl.OutputPrefix) || strings.Contains(said, "s3cret") {
		t.Errorf("said %s", said)
	}
	if answer, _ := h.doBuild(t, look, nil); answer.Error != nil || !answer.Build.Built {
		t.Errorf("after: %+v", answer)
	}
	// What is there is not built again: the stream is not even read.
	if answer, said := h.doBuild(t, send, nil); answer.Error != nil || !answer.Build.Built || said != "" {
		t.Errorf("again: %+v, %s", answer, said)
	}
	other := look
	other.Args = nil
	if answer, _ := h.doBuild(t, other, nil); answer.Error != nil || answer.Build.Built {
		t.Errorf("other arguments: %+v", answer)
	}
	if id, err := imageID(t.Context(), image); err != nil || id == "" {
		t.Errorf("image %q, %v", id, err)
	}
}

func TestBuildFails(t *testing.T) {
	h := testHost(t)
	b := ctl.Build{HostID: buildHost, Send: true, Args: []string{"--label=x=y"}}
	answer, said := h.doBuild(t, b, buildStream(t, "FROM scratch\nCOPY missing /\n"))
	if answer.Error == nil || answer.Error.Code != ctl.CodeBuild || !strings.Contains(answer.Error.Message, "code 1") ||
		!strings.Contains(answer.Error.Detail, "missing") {
		t.Errorf("got %+v\n%s", answer.Error, said)
	}
	// What docker quotes of a build argument is blotted out where the user kept it back.
	hiding := ctl.Build{HostID: buildHost, Send: true, Args: []string{"--build-arg=TOKEN"}, Env: map[string]string{"TOKEN": "s3cret-value"}}
	answer, said = h.doBuild(t, hiding, buildStream(t, "FROM scratch\nARG TOKEN\nCOPY $TOKEN /\n"))
	if answer.Error == nil || !strings.Contains(said, "***") || strings.Contains(said+answer.Error.Message+answer.Error.Detail, "s3cret") {
		t.Errorf("got %+v\n%s", answer.Error, said)
	}
	// A client that was killed sends half of a stream, one that is no mngr something else.
	whole := buildStream(t, "FROM scratch\n")
	for name, stream := range map[string][]byte{"half": whole[:len(whole)/2], "nothing": nil, "text": []byte("\nhello")} {
		if answer, _ := h.doBuild(t, b, stream); answer.Error == nil || answer.Error.Code == ctl.CodeBuild {
			t.Errorf("%s: %+v", name, answer)
		}
	}
	b.HostID = "--privileged"
	if answer, _ := h.doBuild(t, b, whole); answer.Error == nil || answer.Error.Code != ctl.CodeUsage {
		t.Errorf("host id: %+v", answer)
	}
}

// What a killed build left goes with the next boot, but not from below a build.
func TestAbandonedBuild(t *testing.T) {
	h := testHost(t)
	left := filepath.Join(h.buildDir(), "context")
	if err := os.MkdirAll(left, 0o700); err != nil {
		t.Fatal(err)
	}
	unlock, err := lock(t.Context(), h.inRun(setupLock))
	if err != nil {
		t.Fatal(err)
	}
	h.removeAbandonedBuild(t.Context())
	if !exists(left) {
		t.Error("removed from below a build")
	}
	unlock()
	h.removeAbandonedBuild(t.Context())
	if exists(h.buildDir()) {
		t.Error("still there")
	}
}

// A built image is in no registry; whoever publishes one of that name must not be asked.
func TestBuiltImageIsNotPulled(t *testing.T) {
	h := testHost(t)
	_, err := h.pull(t.Context(), ctl.BuiltImage(buildHost), func(phase string) { t.Errorf("phase %q", phase) })
	if err == nil || !strings.Contains(err.Error(), "not on its machine any more") {
		t.Errorf("got %v", err)
	}
}

func TestUnpack(t *testing.T) {
	dir := t.TempDir()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	at := time.Unix(1e9, 0)
	stream := pack(t, []tar.Header{
		{Name: "d/", Typeflag: tar.TypeDir, Mode: 0o555, ModTime: at},
		{Name: "d/f", Typeflag: tar.TypeReg, Mode: 0o4711, ModTime: at},
		{Name: "d/l", Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"},
	}, "content")
	if err := unpack(bytes.NewReader(stream), root); err != nil {
		t.Fatal(err)
	}
	d, err := os.Stat(filepath.Join(dir, "d"))
	if err != nil || d.Mode().Perm() != 0o555 || !d.ModTime().Equal(at) {
		t.Errorf("directory %v, %v", d, err)
	}
	f, err := os.Stat(filepath.Join(dir, "d/f"))
	if err != nil || f.Mode() != fs.ModeSetuid|0o711 || !f.ModTime().Equal(at) {
		t.Errorf("file %v, %v", f, err)
	}
	// Nothing leaves the directory: neither by a name nor through a link.
	for _, headers := range [][]tar.Header{
		{{Name: "../x", Typeflag: tar.TypeReg}},
		{{Name: "/x", Typeflag: tar.TypeReg}},
		{{Name: "out", Typeflag: tar.TypeSymlink, Linkname: dir + "/.."}, {Name: "out/x", Typeflag: tar.TypeReg}},
		{{Name: "dev", Typeflag: tar.TypeChar}},
		{{Name: "hard", Typeflag: tar.TypeLink, Linkname: "/etc/passwd"}},
	} {
		if err := unpack(bytes.NewReader(pack(t, headers, "x")), root); err == nil {
			t.Errorf("unpacked %q", headers[0].Name)
		}
		for _, outside := range []string{filepath.Join(dir, "..", "x"), "/x"} {
			if _, err := os.Lstat(outside); err == nil {
				t.Errorf("%q made %s", headers[0].Name, outside)
			}
		}
	}
}

func TestPlainLine(t *testing.T) {
	for in, want := range map[string]string{
		"  5 | RUN x":                     "  5 | RUN x",
		"\x1b[31mred\x1b[0m\x1b]0;t\x07!": "red!",
		"a\tb\x00\x7f\u009b c  ":          "a b c",
		"\xff":                            "?",
	} {
		if got := plainLine(in); got != want {
			t.Errorf("plainLine(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzRelay(f *testing.F) {
	f.Add("one\r\ntwo\x1b[1A\x1b]8;;x\x1b\\\n")
	f.Fuzz(func(t *testing.T, said string) {
		var out strings.Builder
		r := &relay{to: &out, prefix: "p: ", keep: 3}
		_, _ = r.Write([]byte(said))
		r.flush()
		for line := range strings.Lines(out.String()) {
			if strings.ContainsFunc(strings.TrimSuffix(line, "\n"), func(c rune) bool { return c < ' ' || c == 0x7f }) || !strings.HasPrefix(line, "p: ") {
				t.Errorf("line %q", line)
			}
		}
		if len(r.lines) > 3 {
			t.Errorf("%d lines kept", len(r.lines))
		}
	})
}
