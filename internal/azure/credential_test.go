package azure

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"mngr/internal/agent"
)

// login is a credential that counts, since the SDK's own cannot be asked how often it was.
type login func(policy.TokenRequestOptions) (azcore.AccessToken, error)

func (l login) GetToken(_ context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return l(o)
}

func TestTokenSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int32
		s := newTokenSource(login(func(o policy.TokenRequestOptions) (azcore.AccessToken, error) {
			time.Sleep(time.Second) // az takes its time
			asked.Add(1)
			return azcore.AccessToken{Token: o.Scopes[0] + o.Claims, ExpiresOn: time.Now().Add(time.Hour)}, nil
		}), "")
		get := func(o policy.TokenRequestOptions) string {
			token, err := s.GetToken(t.Context(), o)
			if err != nil {
				t.Error(err)
			}
			return token.Token
		}
		expect := func(n int32, when string) {
			t.Helper()
			if got := asked.Load(); got != n {
				t.Errorf("%s: %d logins, want %d", when, got, n)
			}
		}
		a, b := policy.TokenRequestOptions{Scopes: []string{"a"}}, policy.TokenRequestOptions{Scopes: []string{"b"}}
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() { get(a) })
		}
		wg.Wait()
		expect(1, "ten at once")
		if get(a) != "a" || get(b) != "b" {
			t.Error("the wrong token")
		}
		expect(2, "another scope")
		time.Sleep(time.Hour - tokenMargin - 3*time.Second)
		get(a)
		expect(2, "just before the margin")
		time.Sleep(4 * time.Second)
		get(a)
		expect(3, "within the margin")
		if got := get(policy.TokenRequestOptions{Scopes: []string{"a"}, Claims: "c"}); got != "ac" {
			t.Errorf("a challenge was answered with %q", got)
		}
		expect(4, "a claims challenge")
	})
}

func TestFailedLogin(t *testing.T) {
	no := errors.New("no")
	s := newTokenSource(login(func(policy.TokenRequestOptions) (azcore.AccessToken, error) { return azcore.AccessToken{}, no }), "")
	_, err := s.GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{"a"}})
	if !errors.Is(err, no) || agent.KindOf(translate(err, "x")) != agent.KindCredentials {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	never := make(chan struct{})
	defer close(never)
	s = newTokenSource(login(func(policy.TokenRequestOptions) (azcore.AccessToken, error) { <-never; return azcore.AccessToken{}, no }), "")
	if _, err := s.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{"a"}}); !errors.Is(err, context.Canceled) {
		t.Errorf("an interrupted caller waits: %v", err)
	}
}

func TestSubscription(t *testing.T) {
	t.Setenv("AZURE_CONFIG_DIR", t.TempDir())
	t.Setenv("AZURE_SUBSCRIPTION_ID", "")
	find := func(s Settings) string {
		id, err := s.subscription(t.Context(), &place{})
		if err != nil {
			return string(agent.KindOf(err))
		}
		return id
	}
	s := Defaults()
	if got := find(s); got != string(agent.KindCredentials) {
		t.Errorf("without anything: %s", got)
	}
	profile := "\ufeff" + `{"subscriptions":[{"id":"off","isDefault":true,"state":"Disabled"},{"id":"other"},{"id":"mine","isDefault":true,"state":"Enabled"}]}`
	if err := os.WriteFile(filepath.Join(os.Getenv("AZURE_CONFIG_DIR"), "azureProfile.json"), []byte(profile), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := find(s); got != "mine" {
		t.Errorf("from az: %s", got)
	}
	t.Setenv("AZURE_SUBSCRIPTION_ID", "env")
	if got := find(s); got != "env" {
		t.Errorf("from the environment: %s", got)
	}
	s.SubscriptionID = "set"
	if got := find(s); got != "set" {
		t.Errorf("from the settings: %s", got)
	}
	// The local Azure has its own, whatever the environment says of the real one.
	if got, err := Defaults().subscription(t.Context(), &place{local: &localState{SubscriptionID: "local"}}); err != nil || got != "local" {
		t.Errorf("local: %s, %v", got, err)
	}
}

func FuzzProfile(f *testing.F) {
	f.Add([]byte("\ufeff{\"subscriptions\":[{\"id\":\"x\",\"isDefault\":true}]}"))
	f.Add([]byte(`{"subscriptions":[{"id":`))
	f.Add([]byte(`[]`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if id, ok := parseProfile(raw); !ok && id != "" {
			t.Error("a torn profile gave a subscription")
		}
	})
}
