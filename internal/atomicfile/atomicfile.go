// Package atomicfile writes a file that is either the old or the new one at every moment,
// for a reader and after a crash. It imports nothing of ours; anybody but the local Azure
// may import it.
package atomicfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Write replaces path. The new file gets mode and has had a random name before: what
// somebody has planted at path, a link or a pipe, is replaced and never opened.
func Write(path string, data []byte, mode fs.FileMode) error {
	fresh, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	_, err = fresh.Write(data)
	err = errors.Join(err, fresh.Chmod(mode), fresh.Sync(), fresh.Close())
	if err == nil {
		err = os.Rename(fresh.Name(), path)
	}
	if err != nil {
		_ = os.Remove(fresh.Name())
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
