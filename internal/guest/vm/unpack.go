package vm

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
)

// unpack writes a build's stream into root: files, directories and symbolic links, with the
// modes and times that they had. A stream that ends early is an error.
func unpack(stream io.Reader, root *os.Root) error {
	in := bufio.NewReader(stream)
	if first, err := in.ReadByte(); err != nil || first != '\n' {
		return errors.New("no stream follows the request")
	}
	decompressed, err := gzip.NewReader(in)
	if err != nil {
		return err
	}
	var directories []*tar.Header
	archive := tar.NewReader(decompressed)
	for {
		header, err := archive.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		if header.Typeflag == tar.TypeDir {
			directories = append(directories, header)
		}
		if err := unpackOne(archive, header, root); err != nil {
			return err
		}
	}
	// To the end of the compressed stream, which holds its checksum.
	if _, err := io.Copy(io.Discard, decompressed); err != nil {
		return err
	}
	// A directory's own mode may forbid what had to be done in it, and every file changes its time.
	for i := len(directories) - 1; i >= 0; i-- {
		if err := finishOne(directories[i], root); err != nil {
			return err
		}
	}
	return nil
}

func unpackOne(content io.Reader, header *tar.Header, root *os.Root) error {
	name := path.Clean(header.Name)
	switch header.Typeflag {
	case tar.TypeDir:
		err := root.Mkdir(name, 0o700)
		if errors.Is(err, fs.ErrExist) {
			return nil
		}
		return err
	case tar.TypeSymlink:
		return root.Symlink(header.Linkname, name)
	case tar.TypeReg:
		file, err := root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		_, err = io.Copy(file, content)
		if err := errors.Join(err, file.Close()); err != nil {
			return err
		}
		return finishOne(header, root)
	}
	return fmt.Errorf("%q is of kind %q", name, header.Typeflag)
}

func finishOne(header *tar.Header, root *os.Root) error {
	name := path.Clean(header.Name)
	const bits = fs.ModePerm | fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky
	if err := root.Chmod(name, header.FileInfo().Mode()&bits); err != nil {
		return err
	}
	return root.Chtimes(name, header.ModTime, header.ModTime)
}
