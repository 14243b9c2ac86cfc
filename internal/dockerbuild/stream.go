package dockerbuild

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"
	"time"
)

// Names in the stream, and in the directory that it is unpacked into.
const (
	DockerfileName = "Dockerfile"
	ContextName    = "context"
	secretPrefix   = "secret-"
)

// SecretName is where the secret of an index in Spec.Secrets lies.
func SecretName(index int) string { return secretPrefix + strconv.Itoa(index) }

// noRules is the Dockerfile's own list of what to ignore, which counts alone: nothing, since
// what is ignored was not sent. It must not be empty to be taken for a list.
const noRules = "# Applied before the context was sent.\n"

// WriteTo packs everything into a compressed tar stream, one file after the other, owned by
// root as docker build has it. gitDir is a clone's repository to be sent as .git; it must
// be given exactly if NeedsClone. sent is told, now and then, how many bytes of files have
// been read.
func (c *Context) WriteTo(ctx context.Context, w io.Writer, gitDir string, sent func(bytes int64)) error {
	compressed, err := gzip.NewWriterLevel(w, gzip.BestSpeed)
	if err != nil {
		return err
	}
	s := &stream{ctx: ctx, tar: tar.NewWriter(compressed), sent: sent, made: map[string]bool{".": true}}
	if err := s.beside(c); err != nil {
		return err
	}
	if err := s.file(c.spec.Context, ContextName); err != nil {
		return err
	}
	s.root = c.spec.Context
	if err := c.walk(s.entry); err != nil {
		return err
	}
	if gitDir != "" {
		if err := s.repository(gitDir, c.ignore); err != nil {
			return err
		}
	}
	return errors.Join(s.tar.Close(), compressed.Close())
}

type stream struct {
	ctx  context.Context
	tar  *tar.Writer
	root string // of the tree under way
	made map[string]bool

	bytes int64
	told  time.Time
	sent  func(int64)
}

// beside writes what docker reads from outside of the context.
func (s *stream) beside(c *Context) error {
	content, err := os.ReadFile(c.dockerfile)
	if err != nil {
		return fmt.Errorf("read the Dockerfile: %w", err)
	}
	if err := s.content(DockerfileName, content); err != nil {
		return err
	}
	if err := s.content(DockerfileName+ignoreName, []byte(noRules)); err != nil {
		return err
	}
	for i, secret := range c.spec.Secrets {
		content := []byte(secret.Value)
		if secret.File != "" {
			if content, err = os.ReadFile(secret.File); err != nil {
				return fmt.Errorf("read secret %q: %w", secret.ID, err)
			}
		}
		if err := s.content(SecretName(i), content); err != nil {
			return err
		}
	}
	return nil
}

func (s *stream) content(name string, content []byte) error {
	header := &tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o600, Size: int64(len(content))}
	if err := s.tar.WriteHeader(header); err != nil {
		return err
	}
	_, err := s.tar.Write(content)
	return err
}

// entry writes one file of the context, behind the directories that it lies in: those may be
// ignored themselves.
func (s *stream) entry(name, from string, _ fs.FileInfo) error {
	for i, r := range name {
		if parent := name[:i]; r == '/' && !s.made[parent] {
			if err := s.file(path.Join(s.root, parent), path.Join(ContextName, parent)); err != nil {
				return err
			}
			s.made[parent] = true
		}
	}
	s.made[name] = true
	return s.file(from, path.Join(ContextName, name))
}

// repository sends a clone's repository as the context's.
func (s *stream) repository(gitDir string, ignore Ignore) error {
	if err := s.file(gitDir, ContextName+"/"+gitName); err != nil {
		return err
	}
	return walkTree(gitDir, gitName, func(name, from string, _ fs.FileInfo, err error) error {
		if err != nil {
			return err
		}
		if ignore.Excludes(name) {
			return nil
		}
		return s.file(from, path.Join(ContextName, name))
	})
}

// file writes one file, directory or symbolic link; anything else is left out.
func (s *stream) file(from, name string) error {
	if err := s.ctx.Err(); err != nil {
		return context.Cause(s.ctx)
	}
	info, err := os.Lstat(from)
	if name == ContextName {
		info, err = os.Stat(from)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil // gone since its directory was read
	}
	if err != nil {
		return unreadable(err)
	}
	switch {
	case info.Mode().IsRegular():
		return s.regular(from, name)
	case info.IsDir():
		return s.tar.WriteHeader(header(info, name+"/", ""))
	case info.Mode().Type() == fs.ModeSymlink:
		target, err := os.Readlink(from)
		if err != nil {
			return unreadable(err)
		}
		return s.tar.WriteHeader(header(info, name, target))
	}
	return nil
}

func (s *stream) regular(from, name string) error {
	file, err := os.Open(from)
	if err != nil {
		return unreadable(err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return unreadable(err)
	}
	if err := s.tar.WriteHeader(header(info, name, "")); err != nil {
		return err
	}
	// A file that grows is sent as long as it was.
	n, err := io.CopyN(s.tar, reader{s, file}, info.Size())
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("%s has become shorter (%d of %d bytes) while it was sent; repeat the command", strings.TrimPrefix(name, ContextName+"/"), n, info.Size())
	}
	return err
}

// header holds what docker keeps of a file: kind, mode, time and name.
func header(info fs.FileInfo, name, target string) *tar.Header {
	h := &tar.Header{Name: name, Mode: int64(info.Mode().Perm()), ModTime: info.ModTime()}
	for bit, mode := range map[fs.FileMode]int64{fs.ModeSetuid: 0o4000, fs.ModeSetgid: 0o2000, fs.ModeSticky: 0o1000} {
		if info.Mode()&bit != 0 {
			h.Mode |= mode
		}
	}
	switch {
	case info.IsDir():
		h.Typeflag = tar.TypeDir
	case target != "":
		h.Typeflag, h.Linkname = tar.TypeSymlink, target
	default:
		h.Typeflag, h.Size = tar.TypeReg, info.Size()
	}
	return h
}

// reader counts what is read of the user's files, and ends with the context.
type reader struct {
	s    *stream
	file io.Reader
}

const tellEvery = 200 * time.Millisecond

func (r reader) Read(b []byte) (int, error) {
	if r.s.ctx.Err() != nil {
		return 0, context.Cause(r.s.ctx)
	}
	n, err := r.file.Read(b)
	r.s.bytes += int64(n)
	if r.s.sent != nil && time.Since(r.s.told) > tellEvery {
		r.s.told = time.Now()
		r.s.sent(r.s.bytes)
	}
	return n, err
}
