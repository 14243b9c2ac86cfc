package dockerbuild

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"mngr/internal/agent"
)

// ignoreName is the file of rules in a context. Beside a Dockerfile it is preceded by the
// Dockerfile's name, and then counts alone.
const ignoreName = ".dockerignore"

// Context is what a build reads, looked through and found readable.
type Context struct {
	spec       Spec
	ignore     Ignore
	dockerfile string // path of the Dockerfile

	Files   int   // files that will be sent
	Bytes   int64 // their size
	Skipped int   // sockets, devices and pipes, which cannot be sent
	// NeedsClone says that the image must get a clone of the repository in place of .git:
	// because the spec has a depth, or because .git only points to another directory.
	NeedsClone bool
}

// Open looks through all that the build will read, so that nothing is missing once a
// machine runs. Errors are *agent.Error with agent.KindUsage.
func Open(spec Spec) (*Context, error) {
	c := &Context{spec: spec}
	if err := checkDirectory(spec.Context); err != nil {
		return nil, err
	}
	if err := c.findDockerfile(); err != nil {
		return nil, err
	}
	if err := c.readIgnore(); err != nil {
		return nil, err
	}
	if err := c.findGit(); err != nil {
		return nil, err
	}
	for _, s := range spec.Secrets {
		if s.File == "" {
			continue
		}
		if err := checkFile(s.File); err != nil {
			return nil, agent.Errorf(agent.KindUsage, "secret %q: %w", s.ID, err)
		}
	}
	return c, c.scan()
}

// Size says how much will be sent, for a person.
func (c *Context) Size() string {
	files := "1 file"
	if c.Files != 1 {
		files = strconv.Itoa(c.Files) + " files"
	}
	return files + ", " + Megabytes(c.Bytes)
}

// Megabytes writes a number of bytes for a person.
func Megabytes(n int64) string {
	switch {
	case n < 1000:
		return strconv.FormatInt(n, 10) + " B"
	case n < 1000_000:
		return strconv.FormatInt(n/1000, 10) + " kB"
	}
	return strconv.FormatFloat(float64(n)/1e6, 'f', 1, 64) + " MB"
}

func checkDirectory(path string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return agent.Errorf(agent.KindUsage, "the build context %s does not exist", path).
			WithHint("name a directory, for example: -b .")
	case err != nil:
		return agent.Errorf(agent.KindUsage, "the build context cannot be read: %w", err)
	case !info.IsDir():
		return agent.Errorf(agent.KindUsage, "the build context %s is no directory", path).
			WithHint("a Dockerfile is named with -b --file=%s, beside the context", filepath.Base(path))
	}
	return nil
}

// checkFile tells whether a regular file can be read.
func checkFile(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is no file", path)
	}
	if err := syscall.Access(path, readable); err != nil {
		return &fs.PathError{Op: "read", Path: path, Err: err}
	}
	return nil
}

const readable = 4 // R_OK of access(2)

// findDockerfile takes the file named, or the context's own in either spelling.
func (c *Context) findDockerfile() error {
	c.dockerfile = c.spec.Dockerfile
	if c.dockerfile == "" {
		c.dockerfile = filepath.Join(c.spec.Context, "Dockerfile")
		if lower := filepath.Join(c.spec.Context, "dockerfile"); !exists(c.dockerfile) && exists(lower) {
			c.dockerfile = lower
		}
	}
	err := checkFile(c.dockerfile)
	if errors.Is(err, fs.ErrNotExist) {
		return agent.Errorf(agent.KindUsage, "there is no Dockerfile %s", c.dockerfile).
			WithHint("name it with -b --file=PATH, from the current directory on")
	}
	if err != nil {
		return agent.Errorf(agent.KindUsage, "the Dockerfile cannot be read: %w", err)
	}
	return nil
}

func (c *Context) readIgnore() error {
	path := c.dockerfile + ignoreName
	if !exists(path) {
		path = filepath.Join(c.spec.Context, ignoreName)
	}
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return agent.Errorf(agent.KindUsage, "the rules of what to ignore cannot be read: %w", err)
	}
	if c.ignore, err = ParseIgnore(content); err != nil {
		return agent.Errorf(agent.KindUsage, "%s, %w", path, err)
	}
	return nil
}

// findGit decides what becomes of the context's repository.
func (c *Context) findGit() error {
	info, err := os.Lstat(filepath.Join(c.spec.Context, gitName))
	found := err == nil
	if c.spec.GitDepth > 0 && !found {
		return agent.Errorf(agent.KindUsage, "--git-depth: the build context %s is not the top of a git checkout", c.spec.Context).
			WithHint("leave --git-depth out, or name the directory that holds .git")
	}
	c.NeedsClone = found && !c.ignore.Excludes(gitName) && (c.spec.GitDepth > 0 || info.Mode().IsRegular())
	return nil
}

func (c *Context) scan() error {
	return c.walk(func(_, path string, info fs.FileInfo) error {
		switch {
		case info.Mode().IsRegular():
			if err := syscall.Access(path, readable); err != nil {
				return unreadable(&fs.PathError{Op: "read", Path: path, Err: err})
			}
			c.Files++
			c.Bytes += info.Size()
		case info.IsDir(), info.Mode().Type() == fs.ModeSymlink:
		default:
			c.Skipped++
		}
		return nil
	})
}

func unreadable(err error) error {
	return agent.Errorf(agent.KindUsage, "the build context cannot be read: %w", err).
		WithHint("add it to %s if the image does not need it", ignoreName)
}

const gitName = ".git"

// walk visits what belongs to the context in the order of names, each with its path from
// the context on, with slashes.
func (c *Context) walk(visit func(name, path string, info fs.FileInfo) error) error {
	return walkTree(c.spec.Context, "", func(name, path string, info fs.FileInfo, err error) error {
		excluded := c.ignore.Excludes(name) || c.NeedsClone && name == gitName
		switch {
		case excluded && info != nil && info.IsDir() && (err != nil || c.ignore.SkipsBelow() || name == gitName && c.NeedsClone):
			return fs.SkipDir
		case excluded:
			return nil
		case err != nil:
			return unreadable(err)
		}
		return visit(name, path, info)
	})
}

// walkTree walks below root, which it does not visit itself; names begin with prefix.
func walkTree(root, prefix string, visit func(name, path string, info fs.FileInfo, err error) error) error {
	return filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if path == root {
			if err != nil {
				return unreadable(err)
			}
			return nil
		}
		name := prefix + filepath.ToSlash(path[len(filepath.Clean(root)):])
		if len(name) > 0 && name[0] == '/' {
			name = name[1:]
		}
		if entry == nil {
			return visit(name, path, nil, err)
		}
		info, infoErr := entry.Info()
		if errors.Is(infoErr, fs.ErrNotExist) {
			return nil // gone since its directory was read
		}
		if err == nil {
			err = infoErr
		}
		return visit(name, path, info, err)
	})
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
