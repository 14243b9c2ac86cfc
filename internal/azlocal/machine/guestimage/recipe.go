package guestimage

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/netip"
	"os"
	"path"
	"slices"
	"strings"
)

// Kind is one of the images made here; each stands on the one before it.
type Kind string

// Kinds of images.
const (
	Slim  Kind = "slim"  // a container image, the like of debian:bookworm-slim
	Stock Kind = "stock" // a machine, the like of Azure's Debian:debian-12:12-gen2, without Docker
	Baked Kind = "baked" // a machine that has Docker, tmux, git and rsync already
)

// Registry is where a machine's Docker engine looks for a mirror (etc/docker/daemon.json).
func Registry() netip.AddrPort { return netip.MustParseAddrPort("127.0.0.1:8591") }

// Init is the first process of a container that is a machine, and Boot that of a virtual
// machine. Both end as systemd.
const (
	Init = "/usr/lib/azlocal/init"
	Boot = "/usr/lib/azlocal/boot"
)

// Network is the file from which Boot configures the network, a batch for ip(8).
const Network = "/usr/lib/azlocal/network"

//go:embed all:rootfs
var rootfs embed.FS

//go:embed all:vmroot
var vmroot embed.FS

//go:embed install.sh
var installScript string

// packages are what an image has beyond the one below it.
func (k Kind) packages() []string {
	switch k {
	case Stock:
		return []string{
			"systemd", "systemd-sysv", "dbus", "libpam-systemd", "openssh-server", "openssh-client", "cloud-init",
			"curl", "wget", "ca-certificates", "gpgv", "iproute2", "iputils-ping", "iptables", "nftables", "sudo", "locales", "less",
			"procps", "psmisc", "netbase", "netcat-openbsd", "vim-tiny", "python3-apt", "xz-utils", "kmod", "lsof", "tzdata",
		}
	case Baked:
		return []string{"docker.io", "tmux", "git", "rsync"}
	default:
		return nil
	}
}

// vmPackages are what a virtual machine needs beyond a container: a kernel, what finds its
// devices and its disk, and the agent that runs commands past the network.
func vmPackages() []string {
	return []string{"linux-image-cloud-amd64", "initramfs-tools", "udev", "e2fsprogs", "qemu-guest-agent",
		"apparmor"} // this kernel has it switched on, and Docker then runs nothing without its parser
}

// dpkgOptions leave out what a slim image leaves out, and do not wait for the disk.
func dpkgOptions() []string {
	return []string{"path-exclude=/usr/share/man/*", "path-exclude=/usr/share/doc/*", "path-include=/usr/share/doc/*/copyright",
		"path-exclude=/usr/share/info/*", "path-exclude=/usr/share/locale/*", "force-unsafe-io"}
}

// fingerprint names all that goes into the images: the same one means the same images,
// but for the age of their packages.
func fingerprint(ctx context.Context) (string, error) {
	hash := sha256.New()
	apt, err := aptFingerprint(ctx)
	if err != nil {
		return "", err
	}
	fmt.Fprintln(hash, apt, installScript, dpkgOptions())
	for _, kind := range []Kind{Slim, Stock, Baked} {
		fmt.Fprintln(hash, kind, kind.packages())
	}
	files, err := embedded(rootfs, "rootfs")
	if err != nil {
		return "", err
	}
	if err := writeTar(hash, files); err != nil {
		return "", err
	}
	return hex.EncodeToString(hash.Sum(nil))[:12], nil
}

// embedded are the files of a tree by their names in the guest: rootfs makes a Debian a
// machine of the local Azure, vmroot makes it a virtual one.
func embedded(tree embed.FS, root string) (map[string][]byte, error) {
	files := map[string][]byte{}
	err := fs.WalkDir(tree, root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := tree.ReadFile(name)
		files[strings.TrimPrefix(name, root)] = content
		return err
	})
	return files, err
}

// files are the host's apt settings as files of an image.
func (s aptSettings) asFiles() map[string][]byte {
	files := maps.Clone(s.files)
	files["/etc/apt/sources.list"] = []byte(s.sources)
	files["/etc/apt/apt.conf.d/90host"] = []byte(strings.Join(s.options, "\n") + "\n")
	return files
}

// writeTar writes files, readable by all but apt's logins, with their directories.
func writeTar(w io.Writer, files map[string][]byte) error {
	out := tar.NewWriter(w)
	made := map[string]bool{"/": true}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := writeParents(out, path.Dir(name), made); err != nil {
			return err
		}
		mode := int64(0o644)
		switch {
		case name == Init, name == Boot:
			mode = 0o755
		case strings.HasPrefix(name, "/etc/apt/auth.conf"):
			mode = 0o600
		}
		header := &tar.Header{Name: strings.TrimPrefix(name, "/"), Mode: mode, Size: int64(len(files[name]))}
		if err := out.WriteHeader(header); err != nil {
			return err
		}
		if _, err := io.Copy(out, bytes.NewReader(files[name])); err != nil {
			return err
		}
	}
	return out.Close()
}

func writeTarFile(name string, files map[string][]byte) error {
	var data bytes.Buffer
	if err := writeTar(&data, files); err != nil {
		return err
	}
	return os.WriteFile(name, data.Bytes(), 0o600)
}

func writeParents(out *tar.Writer, dir string, made map[string]bool) error {
	if made[dir] {
		return nil
	}
	if err := writeParents(out, path.Dir(dir), made); err != nil {
		return err
	}
	made[dir] = true
	return out.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: strings.TrimPrefix(dir, "/") + "/", Mode: 0o755})
}
