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
	"regexp"
	"slices"
	"strings"

	"mngr/internal/azlocal/machine/hostcmd"
)

// suite is the Debian release of every image made here.
const suite = "bookworm"

// errNoSource means that the host's apt does not know where Debian 12 is.
var errNoSource = errors.New("apt on this computer has no source for Debian 12 (suite bookworm, component main): " +
	"add one to /etc/apt/sources.list and check it with apt-get update")

// aptSettings is how this computer's own apt reaches Debian, as far as a machine needs it.
type aptSettings struct {
	sources string            // sources.list, one line a source
	options []string          // lines of apt.conf
	files   map[string][]byte // keys and logins by absolute path
}

// aptFiles are the host's files that decide where packages come from.
func aptFiles() ([]string, error) {
	var all []string
	for _, pattern := range []string{
		"/etc/apt/sources.list", "/etc/apt/sources.list.d/*.list", "/etc/apt/sources.list.d/*.sources",
		"/etc/apt/trusted.gpg.d/*", "/etc/apt/auth.conf", "/etc/apt/auth.conf.d/*.conf",
		"/usr/local/share/ca-certificates/*.crt",
	} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, nil
}

// acquireOption matches the settings of how packages are fetched: proxies, certificates,
// validity. Everything else in the host's apt.conf concerns the host.
var acquireOption = regexp.MustCompile(`^Acquire::(http|https|Check-Valid-Until|Check-Date|Retries|ForceIPv[46]|` +
	`AllowInsecureRepositories|AllowWeakRepositories)(::\S+)? ".+";$`)

func aptOptions(ctx context.Context) ([]string, error) {
	dump, err := hostcmd.Run(ctx, "apt-config", "dump")
	if err != nil {
		return nil, fmt.Errorf("read apt's settings: %w", err)
	}
	return selectOptions(dump, os.Getenv), nil
}

// selectOptions picks the lines of apt-config's dump that a machine needs, and adds the
// proxy that the environment names, which apt would have used.
func selectOptions(dump string, getenv func(string) string) []string {
	var options []string
	for line := range strings.Lines(dump) {
		if line = strings.TrimSpace(line); acquireOption.MatchString(line) {
			options = append(options, line)
		}
	}
	for _, scheme := range []string{"http", "https"} {
		name := "Acquire::" + scheme + "::Proxy "
		set := slices.ContainsFunc(options, func(o string) bool { return strings.HasPrefix(o, name) })
		if proxy := getenv(scheme + "_proxy"); proxy != "" && !set {
			options = append(options, fmt.Sprintf("%s%q;", name, proxy))
		}
	}
	return options
}

// aptFingerprint changes whenever the host's apt settings do.
func aptFingerprint(ctx context.Context) (string, error) {
	options, err := aptOptions(ctx)
	if err != nil {
		return "", err
	}
	files, err := aptFiles()
	if err != nil {
		return "", err
	}
	hash := sha256.New()
	fmt.Fprintln(hash, strings.Join(options, "\n"))
	for _, name := range files {
		content, err := os.ReadFile(name)
		if err != nil {
			return "", fmt.Errorf("read apt's settings: %w", err)
		}
		fmt.Fprintln(hash, name, len(content))
		hash.Write(content)
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

// readApt asks apt itself what its sources come to, with package lists of our own in
// scratch: the host's stay as they are.
func readApt(ctx context.Context, scratch string) (aptSettings, error) {
	options, err := aptOptions(ctx)
	if err != nil {
		return aptSettings{}, err
	}
	if err := os.MkdirAll(filepath.Join(scratch, "partial"), 0o755); err != nil { //nolint:gosec // packages of Debian, which its own unprivileged user reads
		return aptSettings{}, err
	}
	lists := "Dir::State::lists=" + scratch
	// One foreign source that fails is no reason to stop: what counts is listed below.
	_, updated := hostcmd.Run(ctx, "apt-get", "update", "-o", lists, "-o", "APT::Update::Post-Invoke-Success::=", "-qq")
	targets, err := hostcmd.Run(ctx, "apt-get", "indextargets", "-o", lists,
		"--format", "$(REPO_URI) $(RELEASE) $(COMPONENT)", "Created-By: Packages")
	if err != nil {
		return aptSettings{}, fmt.Errorf("list apt's sources: %w", err)
	}
	sources := selectSources(targets)
	if sources == "" {
		return aptSettings{}, errors.Join(errNoSource, updated)
	}
	files, err := aptKeys()
	return aptSettings{sources: sources, options: options, files: files}, err
}

// selectSources keeps Debian's own suites, which a machine can reach too.
func selectSources(targets string) string {
	lines := map[string]bool{}
	base := false
	for line := range strings.Lines(targets) {
		f := strings.Fields(line)
		if len(f) != 3 || f[2] != "main" || !strings.HasPrefix(f[0], "http") {
			continue
		}
		switch f[1] {
		case suite, suite + "-updates", suite + "-security":
			lines["deb "+strings.Join(f, " ")+"\n"] = true
			base = base || f[1] == suite
		}
	}
	if !base {
		return ""
	}
	return strings.Join(slices.Sorted(maps.Keys(lines)), "")
}

var signedBy = regexp.MustCompile(`(?i)signed-by\s*[=:]\s*(/[^\s\]]+)`)

// aptKeys collects the keys that the host's sources are signed with, and logins. All keys
// end in trusted.gpg.d because apt does not tell which source wants which.
func aptKeys() (map[string][]byte, error) {
	names, err := aptFiles()
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	for _, name := range names {
		content, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		if !strings.Contains(name, "sources.list") {
			files[name] = content
			continue
		}
		for _, match := range signedBy.FindAllSubmatch(content, -1) {
			if err := addKeys(files, string(match[1])); err != nil {
				return nil, err
			}
		}
	}
	return files, nil
}

func addKeys(files map[string][]byte, list string) error {
	for _, name := range strings.Split(list, ",") {
		key, err := os.ReadFile(name) //nolint:gosec // named by this machine's own apt, which root alone writes
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return fmt.Errorf("read apt's key: %w", err)
		}
		files["/etc/apt/trusted.gpg.d/"+filepath.Base(name)] = key
	}
	return nil
}
