package dockerbuild

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mngr/internal/agent"
)

// write makes a directory of files; a name that ends with a slash is a directory.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, name)
		if strings.HasSuffix(name, "/") {
			if err := os.MkdirAll(path, 0o755); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

type sentFile struct {
	header  tar.Header
	content string
}

// sent is what arrives of a context, by name.
func sent(t *testing.T, spec Spec, gitDir string) map[string]sentFile {
	t.Helper()
	c, err := Open(spec)
	if err != nil {
		t.Fatal(err)
	}
	var packed bytes.Buffer
	if err := c.WriteTo(t.Context(), &packed, gitDir, nil); err != nil {
		t.Fatal(err)
	}
	return unpacked(t, &packed)
}

func unpacked(t *testing.T, from io.Reader) map[string]sentFile {
	t.Helper()
	decompressed, err := gzip.NewReader(from)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]sentFile{}
	for archive := tar.NewReader(decompressed); ; {
		header, err := archive.Next()
		if err == io.EOF {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(archive)
		if err != nil {
			t.Fatal(err)
		}
		if _, twice := files[header.Name]; twice {
			t.Errorf("%s is sent twice", header.Name)
		}
		files[header.Name] = sentFile{*header, string(content)}
	}
}

func TestStream(t *testing.T) {
	dir := write(t, map[string]string{
		"Dockerfile": "FROM scratch", ".dockerignore": "no\ndir/*\n!dir/yes\nDockerfile\nlater",
		"yes": "1", "no": "2", "dir/yes": "3", "dir/no": "4", "empty/": "", "key": "k",
	})
	if err := errors.Join(os.Symlink("/etc/passwd", filepath.Join(dir, "link")), os.Chmod(filepath.Join(dir, "yes"), fs.ModeSetuid|0o750),
		syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600), os.Chtimes(filepath.Join(dir, "yes"), time.Time{}, time.Unix(1e9, 0))); err != nil {
		t.Fatal(err)
	}
	files := sent(t, Spec{Context: dir, Secrets: []Secret{{ID: "a", File: dir + "/key"}, {ID: "b", Value: "v"}}}, "")
	want := []string{
		"Dockerfile", "Dockerfile.dockerignore", "context/", "context/.dockerignore", "context/dir/", "context/dir/yes", "context/empty/",
		"context/key", "context/link", "context/yes", "secret-0", "secret-1",
	}
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(files))); diff != "" {
		t.Error(diff)
	}
	yes := files["context/yes"].header
	if yes.Mode != 0o4750 || !yes.ModTime.Equal(time.Unix(1e9, 0)) || yes.Uid != 0 || yes.Uname != "" {
		t.Errorf("header %+v", yes)
	}
	if files["context/link"].header.Linkname != "/etc/passwd" || files["secret-0"].content != "k" || files["secret-1"].content != "v" {
		t.Error("link or secrets differ")
	}
	if files["Dockerfile.dockerignore"].content == "" {
		t.Error("docker would apply the context's rules a second time")
	}
}

// The Dockerfile's own rules count alone, and a Dockerfile may lie outside.
func TestDockerfilesOwnRules(t *testing.T) {
	dir := write(t, map[string]string{".dockerignore": "a", "a": "", "b": ""})
	outside := write(t, map[string]string{"My": "FROM x", "My.dockerignore": "b"})
	files := sent(t, Spec{Context: dir, Dockerfile: filepath.Join(outside, "My")}, "")
	if _, a := files["context/a"]; !a || files["Dockerfile"].content != "FROM x" {
		t.Errorf("sent %v", slices.Sorted(maps.Keys(files)))
	}
	if _, b := files["context/b"]; b {
		t.Error("b is sent")
	}
}

// A clone's repository goes in the place of the context's, under the same rules.
func TestCloneReplacesGit(t *testing.T) {
	dir := write(t, map[string]string{"Dockerfile": "", ".git": "gitdir: /elsewhere", "a": "", ".dockerignore": ".git/hooks"})
	clone := write(t, map[string]string{"HEAD": "ref", "hooks/x": "", "objects/": ""})
	c, err := Open(Spec{Context: dir})
	if err != nil || !c.NeedsClone {
		t.Fatalf("needs clone: %v, %v", c, err)
	}
	files := sent(t, Spec{Context: dir}, clone)
	if files["context/.git/HEAD"].content != "ref" || files["context/.git/"].header.Typeflag != tar.TypeDir {
		t.Errorf("sent %v", slices.Sorted(maps.Keys(files)))
	}
	for name := range files {
		if strings.HasPrefix(name, "context/.git/hooks") || name == "context/.git" {
			t.Errorf("%s is sent", name)
		}
	}
	ignored := write(t, map[string]string{"Dockerfile": "", ".git": "gitdir: /elsewhere", ".dockerignore": ".git"})
	if c, err := Open(Spec{Context: ignored}); err != nil || c.NeedsClone {
		t.Errorf("an ignored .git: %+v, %v", c, err)
	}
}

func TestOpenRefuses(t *testing.T) {
	good := map[string]string{"Dockerfile": "", "dir/": "", "sub/file": ""}
	tests := map[string]struct {
		change func(dir string, s *Spec) error
		says   string
	}{
		"no context":       {func(dir string, s *Spec) error { s.Context = dir + "/x"; return nil }, "does not exist"},
		"a file":           {func(dir string, s *Spec) error { s.Context = dir + "/Dockerfile"; return nil }, "no directory"},
		"no Dockerfile":    {func(dir string, _ *Spec) error { return os.Remove(dir + "/Dockerfile") }, "there is no Dockerfile"},
		"other Dockerfile": {func(dir string, s *Spec) error { s.Dockerfile = dir + "/x"; return nil }, "there is no Dockerfile"},
		"a directory":      {func(dir string, s *Spec) error { s.Dockerfile = dir + "/dir"; return nil }, "no file"},
		"rules":            {func(dir string, _ *Spec) error { return os.WriteFile(dir+"/.dockerignore", []byte("a["), 0o644) }, "line 1"},
		"secret":           {func(dir string, s *Spec) error { s.Secrets = []Secret{{ID: "a", File: dir + "/x"}}; return nil }, `secret "a"`},
		"no git":           {func(_ string, s *Spec) error { s.GitDepth = 1; return nil }, "not the top of a git checkout"},
	}
	for name, test := range tests {
		dir := write(t, good)
		spec := Spec{Context: dir}
		if _, err := Open(spec); err != nil {
			t.Fatalf("positive control: %v", err)
		}
		if err := test.change(dir, &spec); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(spec); err == nil || agent.KindOf(err) != agent.KindUsage || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A file that shrinks between its header and its end is named; the stream never lies.
func TestFileBecomesShorter(t *testing.T) {
	dir := write(t, map[string]string{"Dockerfile": "", "z": strings.Repeat("0", 1<<20)})
	c, err := Open(Spec{Context: dir})
	if err != nil {
		t.Fatal(err)
	}
	truncate := func(int64) { _ = os.Truncate(filepath.Join(dir, "z"), 40<<10) }
	err = c.WriteTo(t.Context(), io.Discard, "", truncate)
	if err == nil || !strings.Contains(err.Error(), "z has become shorter") {
		t.Errorf("got %v", err)
	}
}

// Docker itself is the judge of what is ignored: the same context through docker build.
func TestDockerAgrees(t *testing.T) {
	if out, err := exec.Command("docker", "version").CombinedOutput(); err != nil {
		t.Skipf("needs a Docker engine: %v: %s", err, out)
	}
	names := []string{"a", "b.md", "foo", "dir/a", "dir/b.md", "dir/foo/x", "deep/dir/foo/a", "deep/dir/c.go", ".hidden", "with space", "a*b", "x[1]"}
	for i, rules := range []string{
		"", "a", "/dir", "*.md\n!dir/b.md", "**/foo", "**/*.go\n# comment\n  a  ", "dir\n!dir/foo", "*\n!deep/dir", "deep/**\n!deep/dir/c.go",
		"a\\*b", "x[[]1]", "?", "dir/../a", ".*", "**/a\n!a", "with space\n**b", "Dockerfile\n.dockerignore",
	} {
		files := map[string]string{"Dockerfile": "FROM scratch\nCOPY . /\n", ".dockerignore": rules}
		for _, name := range names {
			files[name] = name
		}
		dir := write(t, files)
		want := builtBy(t, dir, fmt.Sprintf("mngrtest-ignore-%d-%d", os.Getpid(), i))
		var got []string
		for name, file := range sent(t, Spec{Context: dir}, "") {
			if rest, ok := strings.CutPrefix(name, "context/"); ok && file.header.Typeflag == tar.TypeReg {
				got = append(got, rest)
			}
		}
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("rules %q: docker (-) and we (+) differ: %s", rules, diff)
		}
	}
}

// builtBy returns the files of an image that docker has built of dir.
func builtBy(t *testing.T, dir, tag string) []string {
	t.Helper()
	build := exec.Command("docker", "build", "--quiet", "--no-cache", "--tag", tag, dir)
	build.Env = append(os.Environ(), "DOCKER_BUILDKIT=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("docker build: %v: %s", err, out)
	}
	defer exec.Command("docker", "rmi", "--force", tag).Run()
	id, err := exec.Command("docker", "create", tag, "x").Output()
	if err != nil {
		t.Fatal(err)
	}
	container := strings.TrimSpace(string(id))
	defer exec.Command("docker", "rm", container).Run()
	exported, err := exec.Command("docker", "cp", container+":/", "-").Output()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for archive := tar.NewReader(bytes.NewReader(exported)); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			slices.Sort(names)
			return names
		}
		if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimPrefix(strings.TrimPrefix(header.Name, "/"), "./")
		engine := name == ".dockerenv" || strings.HasPrefix(name, "etc/") || strings.HasPrefix(name, "dev/")
		if header.FileInfo().Mode().Type()&^fs.ModePerm == 0 && !engine {
			names = append(names, name)
		}
	}
}
