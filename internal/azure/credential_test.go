package azure

import (
	"context"
	"errors"
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

func opens(l login) func() (azcore.TokenCredential, error) {
	return func() (azcore.TokenCredential, error) { return l, nil }
}

func (l login) GetToken(_ context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return l(o)
}

func noWords(err error) *loginError { return &loginError{err: err, kind: agent.KindCredentials} }

func TestTokenSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int32
		s := newTokenSource(opens(func(o policy.TokenRequestOptions) (azcore.AccessToken, error) {
			time.Sleep(time.Second) // az takes its time
			asked.Add(1)
			return azcore.AccessToken{Token: o.Scopes[0] + o.Claims, ExpiresOn: time.Now().Add(time.Hour)}, nil
		}), noWords, nil)
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
		s.forget("ac")
		get(a)
		expect(5, "after ARM has refused it")
	})
}

func TestFailedLogin(t *testing.T) {
	no := errors.New("no")
	s := newTokenSource(opens(func(policy.TokenRequestOptions) (azcore.AccessToken, error) { return azcore.AccessToken{}, no }), noWords, nil)
	_, err := s.GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{"a"}})
	if !errors.Is(err, no) || agent.KindOf(translate(err, "x")) != agent.KindCredentials {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	never := make(chan struct{})
	defer close(never)
	s = newTokenSource(opens(func(policy.TokenRequestOptions) (azcore.AccessToken, error) { <-never; return azcore.AccessToken{}, no }), noWords, nil)
	if _, err := s.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{"a"}}); !errors.Is(err, context.Canceled) {
		t.Errorf("an interrupted caller waits: %v", err)
	}
}
