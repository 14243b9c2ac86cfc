// Package guestimage makes the machines' disk images: a Debian 12 from the packages that
// this computer's own apt can reach, so that nothing has to be downloaded from a registry.
// They are kept, by a fingerprint of what they are made from, as images of the host's
// Docker engine or as disks of virtual machines. Only packages under internal/azlocal/machine import it.
package guestimage

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"mngr/internal/azlocal/machine/hostcmd"
	"mngr/internal/azlocal/machine/registry"
)

// Label marks every image and container of this package.
const Label = "mngr.azlocal.image"

// repository is the images' name in the host's engine.
const repository = "mngr-azlocal"

// Cache makes images at most once. Several processes may share its directory.
type Cache struct {
	dir string
	log *slog.Logger
	mu  sync.Mutex
}

// Dir is where images are kept, for all instances of this computer.
const Dir = "/var/cache/mngr-azlocal"

// NewCache keeps files beside the images in dir; the directory belongs to the package alone.
func NewCache(dir string, log *slog.Logger) *Cache { return &Cache{dir: dir, log: log} }

// Ensure returns the reference of an image, and makes it, and those it stands on, if need
// be; progress tells what is being done.
func (c *Cache) Ensure(ctx context.Context, kind Kind, progress func(string)) (string, error) {
	return c.alone(ctx, func(print string) (string, error) { return c.ensure(ctx, kind, print, progress) })
}

// alone calls f with the fingerprint while nobody else makes an image.
func (c *Cache) alone(ctx context.Context, f func(print string) (string, error)) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	print, err := fingerprint(ctx)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(c.dir, 0o755); err != nil { //nolint:gosec // packages of Debian, which its own unprivileged user reads
		return "", fmt.Errorf("make the image cache: %w", err)
	}
	unlock, err := c.lock()
	if err != nil {
		return "", err
	}
	defer unlock()
	if err := c.tighten(); err != nil {
		return "", err
	}
	return f(print)
}

// ensure also wants the registry's copy, which is made from the slim image's tar.
func (c *Cache) ensure(ctx context.Context, kind Kind, print string, progress func(string)) (string, error) {
	ref := fmt.Sprintf("%s/%s:%s", repository, kind, print)
	_, err := hostcmd.Run(ctx, "docker", "image", "inspect", "--format", "{{.Id}}", ref)
	if err == nil && (kind != Slim || c.registry(print).Has("library/debian", "bookworm-slim")) {
		return ref, nil
	}
	if kind == Slim {
		progress("making a Debian 12 from this computer's apt sources")
		return ref, c.makeSlim(ctx, ref, print)
	}
	below := Slim
	if kind == Baked {
		below = Stock
	}
	base, err := c.ensure(ctx, below, print, progress)
	if err != nil {
		return "", err
	}
	progress(fmt.Sprintf("installing %d packages for the %s machine image", len(kind.packages()), kind))
	return ref, c.makeLayer(ctx, kind, base, ref)
}

// Registry serves debian:bookworm-slim as made by Ensure.
func (c *Cache) Registry(ctx context.Context) (*registry.Store, error) {
	print, err := fingerprint(ctx)
	if err != nil {
		return nil, err
	}
	return c.registry(print), nil
}

func (c *Cache) registry(print string) *registry.Store {
	return registry.Open(filepath.Join(c.dir, "registry-"+print))
}

// lock keeps other processes from making the same image at the same time.
func (c *Cache) lock() (unlock func(), err error) {
	file, err := os.OpenFile(filepath.Join(c.dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(file.Fd()), unix.LOCK_EX); err != nil {
		file.Close()
		return nil, fmt.Errorf("lock the image cache: %w", err)
	}
	return func() { file.Close() }, nil
}

func (c *Cache) makeSlim(ctx context.Context, ref, print string) error {
	return c.build(ctx, func(scratch string, apt aptSettings) error {
		rootfs, err := bootstrapSlim(ctx, scratch, apt)
		if err != nil {
			return err
		}
		if _, err := hostcmd.Run(ctx, "docker", "import", "--change", `CMD ["bash"]`, "--change", "LABEL "+Label+"="+string(Slim),
			rootfs, ref); err != nil {
			return fmt.Errorf("import the Debian 12: %w", err)
		}
		c.log.Info("made image", "ref", ref)
		return c.registry(print).Add("library/debian", "bookworm-slim", rootfs)
	})
}

// build calls f with a directory that goes afterwards, and the host's apt settings.
func (c *Cache) build(ctx context.Context, f func(scratch string, apt aptSettings) error) error {
	scratch, err := os.MkdirTemp(c.dir, "build-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	// apt's own user reads keys and package lists in it.
	if err := os.Chmod(scratch, 0o755); err != nil { //nolint:gosec // packages of Debian, which its own unprivileged user reads
		return err
	}
	apt, err := readApt(ctx, filepath.Join(scratch, "lists"))
	if err != nil {
		return err
	}
	return f(scratch, apt)
}

// bootstrapSlim makes a minimal Debian as a tar file in a directory that nobody else reads:
// it holds the logins of this computer's apt.
func bootstrapSlim(ctx context.Context, scratch string, apt aptSettings) (string, error) {
	dir := filepath.Join(scratch, "slim")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return "", err
	}
	rootfs := filepath.Join(dir, "slim.tar")
	if err := bootstrap(ctx, scratch, rootfs, apt); err != nil {
		return "", fmt.Errorf("make a Debian 12: %w", err)
	}
	return rootfs, nil
}

// bootstrap makes a minimal Debian, a tar file or, without that ending, a directory. Hooks
// are shell commands that may change it, with its root as $1.
func bootstrap(ctx context.Context, scratch, rootfs string, apt aptSettings, hooks ...string) error {
	overlayFile, keys := filepath.Join(scratch, "overlay.tar"), filepath.Join(scratch, "keys")
	if err := writeTarFile(overlayFile, apt.asFiles()); err != nil {
		return err
	}
	if err := writeKeys(keys, apt.files); err != nil {
		return err
	}
	args := []string{"--variant=minbase", "--mode=root", "--keyring=" + keys,
		"--aptopt=APT::Install-Recommends \"false\"", "--aptopt=Acquire::Languages \"none\"",
		`--customize-hook=rm -f "$1/etc/apt/apt.conf.d/99mmdebstrap" "$1/etc/apt/sources.list.d/0000sources.list"`,
		"--customize-hook=tar-in " + overlayFile + " /"}
	for _, option := range apt.options {
		args = append(args, "--aptopt="+strings.TrimSuffix(option, ";"))
	}
	for _, option := range dpkgOptions() {
		args = append(args, "--dpkgopt="+option)
	}
	if strings.Contains(apt.sources, "https://") {
		args = append(args, "--include=ca-certificates")
	}
	for _, hook := range hooks {
		args = append(args, "--customize-hook="+hook)
	}
	_, err := hostcmd.Feed(ctx, strings.NewReader(apt.sources), "mmdebstrap", append(args, suite, rootfs, "-")...)
	return err
}

func writeKeys(dir string, files map[string][]byte) error {
	if err := os.Mkdir(dir, 0o755); err != nil { //nolint:gosec // packages of Debian, which its own unprivileged user reads
		return err
	}
	for name, content := range files {
		if strings.HasPrefix(name, "/etc/apt/trusted.gpg.d/") {
			if err := os.WriteFile(filepath.Join(dir, filepath.Base(name)), content, 0o644); err != nil { //nolint:gosec // packages of Debian, which its own unprivileged user reads
				return err
			}
		}
	}
	return nil
}

// makeLayer installs packages in a container of the image below and keeps the result. It
// uses the host's network: a proxy on loopback is within reach.
func (c *Cache) makeLayer(ctx context.Context, kind Kind, base, ref string) error {
	args := append([]string{"create", "--label", Label + "=" + string(kind), "--network", "host", base,
		"sh", "-c", installScript, "install"}, kind.packages()...)
	container, err := hostcmd.Run(ctx, "docker", args...)
	if err != nil {
		return fmt.Errorf("make the %s image: %w", kind, err)
	}
	defer func() {
		_, _ = hostcmd.Run(context.WithoutCancel(ctx), "docker", "rm", "--force", "--volumes", container)
	}()
	files, err := embedded(rootfs, "rootfs")
	if err != nil {
		return err
	}
	var root bytes.Buffer
	if err := writeTar(&root, files); err != nil {
		return err
	}
	if _, err := hostcmd.Feed(ctx, &root, "docker", "cp", "-", container+":/"); err != nil {
		return fmt.Errorf("make the %s image: %w", kind, err)
	}
	if _, err := hostcmd.Run(ctx, "docker", "start", "--attach", container); err != nil {
		return fmt.Errorf("install packages of the %s image: %w", kind, err)
	}
	if _, err := hostcmd.Run(ctx, "docker", "commit", "--change", `CMD ["`+Init+`"]`,
		"--change", "LABEL "+Label+"="+string(kind), container, ref); err != nil {
		return fmt.Errorf("keep the %s image: %w", kind, err)
	}
	c.log.Info("made image", "ref", ref)
	return nil
}
