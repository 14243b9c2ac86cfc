package azure

import (
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"mngr/internal/atomicfile"
)

// keepFor is how long a token on disk is used, whatever its own life: az takes seconds
// to start, while a login that has been taken away should not work for long.
const keepFor = 10 * time.Minute

// largestToken bounds what is read of a file.
const largestToken = 64 << 10

// tokenCache keeps tokens on disk from one run to the next, one file each, readable by
// its owner only. A file that cannot be trusted or understood counts as absent. A nil
// cache keeps nothing.
type tokenCache struct {
	dir   string
	place string   // which cloud
	line  *contact // how the login speaks to it
}

// keptToken is the contents of a file.
type keptToken struct {
	Token     string    `json:"access_token"`
	ExpiresOn time.Time `json:"expires_on"`
	StoredAt  time.Time `json:"stored_at"`
}

func (c *tokenCache) load(o policy.TokenRequestOptions) (azcore.AccessToken, bool) {
	if c == nil {
		return azcore.AccessToken{}, false
	}
	state, ok := readLoginState(c.place)
	if !ok {
		return azcore.AccessToken{}, false
	}
	raw, err := readPrivate(filepath.Join(c.dir, state.file(o)))
	if err != nil {
		return azcore.AccessToken{}, false
	}
	return parseKept(raw, time.Now())
}

// parseKept returns a token that is younger than keepFor and outlives tokenMargin. A
// clock that was turned back makes it unusable.
func parseKept(raw []byte, now time.Time) (azcore.AccessToken, bool) {
	var k keptToken
	if json.Unmarshal(raw, &k) != nil || k.Token == "" || strings.ContainsAny(k.Token, " \r\n\x00") {
		return azcore.AccessToken{}, false
	}
	age := now.Sub(k.StoredAt)
	if age < 0 || age >= keepFor || !now.Add(tokenMargin).Before(k.ExpiresOn) {
		return azcore.AccessToken{}, false
	}
	return azcore.AccessToken{Token: k.Token, ExpiresOn: k.ExpiresOn}, true
}

// begin is called before a login; what it returns keeps the login's token, if that is
// allowed and the login's files still say the same.
func (c *tokenCache) begin(o policy.TokenRequestOptions) (keep func(azcore.AccessToken)) {
	nothing := func(azcore.AccessToken) {}
	if c == nil || o.Claims != "" {
		return nothing
	}
	before, ok := readLoginState(c.place)
	if !ok {
		return nothing
	}
	return func(t azcore.AccessToken) {
		after, ok := readLoginState(c.place)
		// az itself writes new tokens into its cache; another account or subscription
		// shows in its profile.
		if !ok || after.kind != before.kind || after.who != before.who {
			return
		}
		// A developer's token comes from a program; one that came over HTTP is a machine's
		// identity, which must not outlive the machine's right to it.
		if after.kind == kindDeveloper && c.line.granted.Load() {
			return
		}
		if old := before.file(o); old != after.file(o) {
			_ = os.Remove(filepath.Join(c.dir, old)) // nobody looks for it any more
		}
		_ = c.store(after.file(o), t) // without it the next run logs in
	}
}

func (c *tokenCache) store(name string, t azcore.AccessToken) error {
	if err := os.MkdirAll(c.dir, 0o700); err != nil {
		return fmt.Errorf("keep a token: %w", err)
	}
	c.sweep()
	raw, err := json.Marshal(keptToken{Token: t.Token, ExpiresOn: t.ExpiresOn, StoredAt: time.Now()}) //nolint:gosec // the file is for the owner only
	if err != nil {
		return fmt.Errorf("keep a token: %w", err)
	}
	if err := atomicfile.Write(filepath.Join(c.dir, name), raw, 0o600); err != nil {
		return fmt.Errorf("keep a token: %w", err)
	}
	return nil
}

// sweep removes what nobody will read any more: tokens of former logins, and what a
// killed process left.
func (c *tokenCache) sweep() {
	entries, err := os.ReadDir(c.dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() && time.Since(info.ModTime()) > keepFor {
			_ = os.Remove(filepath.Join(c.dir, e.Name()))
		}
	}
}

// readPrivate reads a file that nobody else can have written or read.
func readPrivate(path string) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !info.Mode().IsRegular() || info.Mode().Perm()&0o077 != 0 || !ok || int(st.Uid) != os.Geteuid() {
		return nil, fs.ErrPermission
	}
	return io.ReadAll(io.LimitReader(f, largestToken))
}
