package guestimage

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"mngr/internal/azlocal/machine/hostcmd"
)

// Disk is a directory with a virtual machine's image.
type Disk string

// Root is the file system, without partitions, as a raw disk.
func (d Disk) Root() string { return filepath.Join(string(d), "root.img") }

// Kernel is what starts from it.
func (d Disk) Kernel() string { return filepath.Join(string(d), "vmlinuz") }

// Initrd belongs to the kernel.
func (d Disk) Initrd() string { return filepath.Join(string(d), "initrd.img") }

// diskPrefix begins the names of disks in the cache.
const diskPrefix = "disk-"

// diskMB is the size of the file system, before a machine grows it to its own disk's.
const diskMB = 4096

// EnsureDisk is Ensure for virtual machines. It needs no Docker engine.
func (c *Cache) EnsureDisk(ctx context.Context, kind Kind, progress func(string)) (Disk, error) {
	name, err := c.alone(ctx, func(print string) (string, error) {
		vm, err := vmFingerprint(print)
		if err != nil {
			return "", err
		}
		dir := filepath.Join(c.dir, fmt.Sprintf(diskPrefix+"%s-%s", kind, vm))
		if store := c.registry(print); !store.Has("library/debian", "bookworm-slim") {
			progress("making a Debian 12 from this computer's apt sources")
			err = c.build(ctx, func(scratch string, apt aptSettings) error {
				rootfs, err := bootstrapSlim(ctx, scratch, apt)
				if err != nil {
					return err
				}
				return store.Add("library/debian", "bookworm-slim", rootfs)
			})
			if err != nil {
				return "", err
			}
		}
		if _, err := os.Stat(dir); err == nil {
			return dir, nil
		}
		progress(fmt.Sprintf("making the disk of the %s machine image", kind))
		return dir, c.build(ctx, func(scratch string, apt aptSettings) error {
			return makeDisk(ctx, scratch, dir, kind, apt)
		})
	})
	return Disk(name), err
}

// vmFingerprint adds what only virtual machines have: containers' images need not be made
// again when it changes.
func vmFingerprint(print string) (string, error) {
	files, err := embedded(vmroot, "vmroot")
	if err != nil {
		return "", err
	}
	hash := sha256.New()
	fmt.Fprintln(hash, print, vmPackages(), diskMB)
	if err := writeTar(hash, files); err != nil {
		return "", err
	}
	return hex.EncodeToString(hash.Sum(nil))[:12], nil
}

// makeDisk installs in a directory what the images of containers have in layers.
func makeDisk(ctx context.Context, scratch, dir string, kind Kind, apt aptSettings) error {
	files, err := embedded(rootfs, "rootfs")
	if err != nil {
		return err
	}
	more, err := embedded(vmroot, "vmroot")
	if err != nil {
		return err
	}
	maps.Copy(files, more)
	guest, script, root := filepath.Join(scratch, "guest.tar"), filepath.Join(scratch, "install.sh"), filepath.Join(scratch, "root")
	if err := writeTarFile(guest, files); err != nil {
		return err
	}
	if err := os.WriteFile(script, []byte(installScript), 0o600); err != nil {
		return err
	}
	packages := slices.Concat(vmPackages(), Stock.packages())
	if kind == Baked {
		packages = append(packages, Baked.packages()...)
	}
	install := fmt.Sprintf(`chroot "$1" sh -c "$(cat %s)" install %s`, script, strings.Join(packages, " "))
	if err := bootstrap(ctx, scratch, root, apt, "tar-in "+guest+" /", install); err != nil {
		return fmt.Errorf("install packages of the %s machine image: %w", kind, err)
	}
	made := filepath.Join(scratch, "disk")
	if err := os.Mkdir(made, 0o700); err != nil {
		return err
	}
	if err := takeKernel(root, Disk(made)); err != nil {
		return err
	}
	if _, err := hostcmd.Run(ctx, "mke2fs", "-q", "-t", "ext4", "-L", "root", "-m", "1", "-d", root, Disk(made).Root(), fmt.Sprintf("%dM", diskMB)); err != nil {
		return fmt.Errorf("make the disk of the %s machine image: %w", kind, err)
	}
	if err := Disk(made).close(); err != nil {
		return err
	}
	return os.Rename(made, dir)
}

// close keeps everybody else from reading the image, which holds the logins of this
// computer's apt.
func (d Disk) close() error {
	if err := os.Chmod(string(d), 0o700); err != nil { //nolint:gosec // a directory
		return fmt.Errorf("close a machine image to others: %w", err)
	}
	if err := os.Chmod(d.Root(), 0o600); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("close a machine image to others: %w", err)
	}
	return nil
}

// tighten closes the images that earlier versions left open.
func (c *Cache) tighten() error {
	entries, err := os.ReadDir(c.dir)
	if err != nil {
		return fmt.Errorf("look through the image cache: %w", err)
	}
	for _, e := range entries {
		if e.IsDir() && strings.HasPrefix(e.Name(), diskPrefix) {
			if err := Disk(filepath.Join(c.dir, e.Name())).close(); err != nil {
				return err
			}
		}
	}
	return nil
}

// takeKernel moves the only kernel out of the file system: nothing in a machine starts it.
func takeKernel(root string, disk Disk) error {
	for pattern, to := range map[string]string{"vmlinuz-*": disk.Kernel(), "initrd.img-*": disk.Initrd()} {
		found, err := filepath.Glob(filepath.Join(root, "boot", pattern))
		if err != nil || len(found) != 1 {
			return fmt.Errorf("find the kernel of the machine image: boot/%s matches %d files: %w", pattern, len(found), err)
		}
		if err := os.Rename(found[0], to); err != nil {
			return err
		}
	}
	return nil
}
