package azure

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

var armScope = policy.TokenRequestOptions{Scopes: []string{"https://management.core.windows.net//.default"}, EnableCAE: true}

// noLoginAround clears every variable that the default chain looks at.
func noLoginAround(t *testing.T) {
	for _, name := range []string{
		"AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PATH", "AZURE_CLIENT_CERTIFICATE_PASSWORD",
		"AZURE_USERNAME", "AZURE_PASSWORD", "AZURE_TOKEN_CREDENTIALS", "AZURE_FEDERATED_TOKEN_FILE", "AZURE_AUTHORITY_HOST",
		"IDENTITY_ENDPOINT", "IDENTITY_HEADER", "MSI_ENDPOINT", "AZURE_SUBSCRIPTION_ID",
	} {
		t.Setenv(name, "")
		if err := os.Unsetenv(name); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("AZURE_CONFIG_DIR", t.TempDir())
}

// asks counts the logins of a run: what another process would do.
type asks struct {
	dir  string
	n    int
	http bool // the token comes over HTTP, as a machine's identity does
	life time.Duration
}

func (a *asks) run(t *testing.T, name string) string {
	t.Helper()
	line := &contact{}
	line.granted.Store(a.http)
	life := a.life
	if life == 0 {
		life = time.Hour
	}
	s := newTokenSource(opens(func(policy.TokenRequestOptions) (azcore.AccessToken, error) {
		a.n++
		return azcore.AccessToken{Token: fmt.Sprint("token-", a.n), ExpiresOn: time.Now().Add(life)}, nil
	}), noWords, &tokenCache{dir: a.dir, place: name, line: line})
	got, err := s.GetToken(t.Context(), armScope)
	if err != nil {
		t.Fatal(err)
	}
	return got.Token
}

func (a *asks) expect(t *testing.T, n int, what string) {
	t.Helper()
	a.run(t, "public")
	if a.n != n {
		t.Errorf("%s: %d logins, want %d", what, a.n, n)
		a.n = n
	}
}

func TestTokensAreKeptForAzOnly(t *testing.T) {
	noLoginAround(t)
	a := &asks{dir: filepath.Join(t.TempDir(), "tokens")}
	a.expect(t, 1, "no profile of az")
	a.expect(t, 2, "still none")
	writeProfile(t, goodProfile)
	a.expect(t, 3, "logged in with az")
	a.expect(t, 3, "again")
	a.expect(t, 3, "and again")
	if a.run(t, "china"); a.n != 4 {
		t.Error("another cloud took this one's token")
	}
	for name, value := range map[string]string{
		"AZURE_FEDERATED_TOKEN_FILE": "/x", "IDENTITY_ENDPOINT": "http://x", "MSI_ENDPOINT": "http://x",
		"AZURE_TOKEN_CREDENTIALS": "ManagedIdentityCredential",
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(name, value)
			before := a.n
			a.expect(t, before+1, "a platform's identity")
			a.expect(t, before+2, "and again")
		})
	}
	b := &asks{dir: filepath.Join(t.TempDir(), "tokens"), http: true}
	b.expect(t, 1, "a machine's identity")
	b.expect(t, 2, "and again")
}

func TestKeptTokenFollowsTheLogin(t *testing.T) {
	noLoginAround(t)
	writeProfile(t, goodProfile)
	a := &asks{dir: filepath.Join(t.TempDir(), "tokens")}
	n := 1
	a.expect(t, n, "first")
	az := os.Getenv("AZURE_CONFIG_DIR")
	for _, file := range []string{"azureProfile.json", "msal_token_cache.json", "msal_token_cache.bin", "clouds.config"} {
		if err := os.WriteFile(filepath.Join(az, file+".new"), []byte(goodProfile), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(filepath.Join(az, file+".new"), filepath.Join(az, file)); err != nil {
			t.Fatal(err)
		}
		n++
		a.expect(t, n, file+" has changed")
		a.expect(t, n, file+" has not changed again")
	}
	for _, variable := range [][2]string{
		{"AZURE_TENANT_ID", "t"}, {"AZURE_CLIENT_ID", "c"}, // incomplete: az still
		{"AZURE_CLIENT_SECRET", "s"}, {"AZURE_CLIENT_SECRET", "s2"}, {"AZURE_CLIENT_ID", "c2"}, {"AZURE_TENANT_ID", "t2"},
	} {
		t.Setenv(variable[0], variable[1])
		if len(missingFromEnvironment()) == 0 {
			n++
		}
		a.expect(t, n, fmt.Sprint(variable))
		a.expect(t, n, "again")
	}
	entries, err := os.ReadDir(a.dir)
	if err != nil || len(entries) == 0 {
		t.Fatal(err)
	}
	for _, e := range entries {
		if info, err := e.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", e.Name(), info.Mode(), err)
		}
	}
	if info, err := os.Stat(a.dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the directory: %v, %v", info.Mode(), err)
	}
}

func TestUntrustedTokenFiles(t *testing.T) {
	noLoginAround(t)
	writeProfile(t, goodProfile)
	a := &asks{dir: filepath.Join(t.TempDir(), "tokens")}
	a.expect(t, 1, "first")
	files, err := filepath.Glob(filepath.Join(a.dir, "*.json"))
	if err != nil || len(files) != 1 {
		t.Fatalf("%v, %v", files, err)
	}
	path := files[0]
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	old := func(change func(*keptToken)) []byte {
		var k keptToken
		if err := json.Unmarshal(good, &k); err != nil {
			t.Fatal(err)
		}
		change(&k)
		raw, err := json.Marshal(k)
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	put := func(raw []byte, mode os.FileMode) func() error {
		return func() error {
			_ = os.Remove(path)
			if err := os.WriteFile(path, raw, 0o600); err != nil {
				return err
			}
			return os.Chmod(path, mode)
		}
	}
	n := 1
	for _, c := range []struct {
		name  string
		spoil func() error
	}{
		{"torn", put(good[:len(good)/2], 0o600)},
		{"empty", put(nil, 0o600)},
		{"readable by others", put(good, 0o644)},
		{"ten minutes old", put(old(func(k *keptToken) { k.StoredAt = k.StoredAt.Add(-keepFor) }), 0o600)},
		{"from the future", put(old(func(k *keptToken) { k.StoredAt = k.StoredAt.Add(time.Minute) }), 0o600)},
		{"about to expire", put(old(func(k *keptToken) { k.ExpiresOn = time.Now().Add(tokenMargin) }), 0o600)},
		{"a link", func() error {
			elsewhere := filepath.Join(t.TempDir(), "x")
			if err := os.WriteFile(elsewhere, good, 0o600); err != nil {
				return err
			}
			_ = os.Remove(path)
			return os.Symlink(elsewhere, path)
		}},
		{"somebody else's", func() error {
			if os.Geteuid() != 0 {
				return put(nil, 0o600)()
			}
			if err := put(good, 0o600)(); err != nil {
				return err
			}
			return os.Chown(path, 65534, 65534)
		}},
	} {
		if err := put(good, 0o600)(); err != nil {
			t.Fatal(err)
		}
		a.expect(t, n, "positive control")
		if err := c.spoil(); err != nil {
			t.Fatal(err)
		}
		n++
		a.expect(t, n, c.name)
		a.expect(t, n, c.name+", replaced")
	}
}

// TestRefusedTokenIsReplaced: ARM refuses what an earlier run has kept.
func TestRefusedTokenIsReplaced(t *testing.T) {
	noLoginAround(t)
	writeProfile(t, goodProfile)
	a := &asks{dir: filepath.Join(t.TempDir(), "tokens")}
	first := a.run(t, "public")
	s := newTokenSource(opens(func(policy.TokenRequestOptions) (azcore.AccessToken, error) {
		a.n++
		return azcore.AccessToken{Token: "new", ExpiresOn: time.Now().Add(time.Hour)}, nil
	}), noWords, &tokenCache{dir: a.dir, place: "public", line: &contact{}})
	if got, _ := s.GetToken(t.Context(), armScope); got.Token != first {
		t.Fatalf("the kept token was not taken: %q", got.Token)
	}
	s.forget(first)
	if got, _ := s.GetToken(t.Context(), armScope); got.Token != "new" || a.n != 2 {
		t.Errorf("after a refusal: %q, %d logins", got.Token, a.n)
	}
	if got := a.run(t, "public"); got != "new" {
		t.Errorf("the refused token is still on disk: %q", got)
	}
}

func TestManyProcessesKeepOneToken(t *testing.T) {
	noLoginAround(t)
	writeProfile(t, goodProfile)
	dir := filepath.Join(t.TempDir(), "tokens")
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for range 20 {
				if got := (&asks{dir: dir}).run(t, "public"); got != "token-1" {
					t.Errorf("got %q", got)
				}
			}
		})
	}
	wg.Wait()
	if left, _ := filepath.Glob(filepath.Join(dir, ".*")); len(left) > 0 {
		t.Errorf("left over: %v", left)
	}
	last := &asks{dir: dir}
	last.expect(t, 0, "afterwards")
}

// TestArmRefusesTheToken: one more login, one more request, then the refusal stands.
func TestArmRefusesTheToken(t *testing.T) {
	route := "GET " + testGroup
	for code, again := range map[string]int{"InvalidAuthenticationToken": 2, "ExpiredAuthenticationToken": 2, "InvalidAuthenticationTokenTenant": 1} {
		s := newScript(t, map[string][]scripted{route: {refuses(http.StatusUnauthorized, code, "…"), says(200, `{"name":"mngr","location":"westus"}`)}})
		at, err := s.provider().session(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		_, err = at.groups.Get(context.Background(), "mngr", nil)
		if n := len(s.seen(route)); n != again || s.logins != again || (err == nil) != (again == 2) {
			t.Errorf("%s: %d requests, %d logins, %v", code, n, s.logins, err)
		}
	}
	s := newScript(t, map[string][]scripted{route: {refuses(http.StatusUnauthorized, "InvalidAuthenticationToken", "…")}})
	at, err := s.provider().session(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err = at.groups.Get(t.Context(), "mngr", nil); err == nil || len(s.seen(route)) != 2 {
		t.Errorf("refused for good: %d requests, %v", len(s.seen(route)), err)
	}
}

func FuzzTokenCache(f *testing.F) {
	now := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	good, err := json.Marshal(keptToken{Token: "t", ExpiresOn: now.Add(time.Hour), StoredAt: now.Add(-time.Minute)})
	if err != nil {
		f.Fatal(err)
	}
	if _, ok := parseKept(good, now); !ok {
		f.Fatal("a good file is refused")
	}
	f.Add(good)
	f.Add(good[:20])
	f.Add([]byte(`{"access_token":"a\nb","expires_on":"9999-01-01T00:00:00Z","stored_at":"2026-11-22T00:00:00Z"}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		token, ok := parseKept(raw, now)
		if !ok {
			return
		}
		if _, err := http.NewRequest(http.MethodGet, "/", nil); err != nil || token.Token == "" {
			t.Error("an empty token")
		}
		if !token.ExpiresOn.After(now.Add(tokenMargin)) {
			t.Errorf("a token that ends at %s", token.ExpiresOn)
		}
	})
}
