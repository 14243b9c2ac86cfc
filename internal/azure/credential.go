package azure

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"golang.org/x/sync/singleflight"
)

// tokenMargin is how long before its end a token is no longer handed out.
const tokenMargin = 5 * time.Minute

// tokenTimeout bounds one login; az alone may take ten seconds to start.
const tokenTimeout = time.Minute

// loginHint is the remedy of a login that fails.
func (p *place) loginHint() string {
	if p.local != nil {
		return "mngr azure local up"
	}
	return "az login   (or set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET)"
}

// newCredential logs in where the place says. A real cloud takes whatever login the
// SDK's default chain finds; the local Azure takes its own service principal only,
// because the chain would probe the metadata address of the host it runs on.
func newCredential(p *place) (azcore.TokenCredential, error) {
	opts := azcore.ClientOptions{Cloud: p.cloud}
	if p.client != nil {
		opts.Transport = p.client
	}
	if p.local != nil {
		secret, err := p.local.secret()
		if err != nil {
			return nil, err
		}
		return azidentity.NewClientSecretCredential(p.local.TenantID, p.local.ClientID, secret,
			&azidentity.ClientSecretCredentialOptions{ClientOptions: opts, DisableInstanceDiscovery: true})
	}
	if p.client == nil {
		return azidentity.NewDefaultAzureCredential(&azidentity.DefaultAzureCredentialOptions{ClientOptions: opts})
	}
	// The metadata service speaks plain HTTP on its own address and needs no private
	// authority, so the chain may use the same transport.
	return azidentity.NewDefaultAzureCredential(&azidentity.DefaultAzureCredentialOptions{
		ClientOptions: opts, DisableInstanceDiscovery: true})
}

// tokenSource shares one login among the SDK's modules, each of which would otherwise
// ask for a token of its own.
type tokenSource struct {
	login azcore.TokenCredential
	hint  string // what to do when the login fails
	now   func() time.Time

	flight singleflight.Group
	mu     sync.Mutex
	tokens map[string]azcore.AccessToken
}

func newTokenSource(login azcore.TokenCredential, hint string) *tokenSource {
	return &tokenSource{login: login, hint: hint, now: time.Now, tokens: map[string]azcore.AccessToken{}}
}

// GetToken implements azcore.TokenCredential. A claims challenge always asks anew.
func (s *tokenSource) GetToken(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	key := strings.Join(append([]string{o.TenantID}, o.Scopes...), " ")
	if o.Claims == "" {
		if t, ok := s.cached(key); ok {
			return t, nil
		}
	}
	// The login outlives the caller that happened to come first, since others wait for it.
	answer := s.flight.DoChan(key+"\n"+o.Claims, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), tokenTimeout)
		defer cancel()
		t, err := s.login.GetToken(ctx, o)
		if err != nil {
			return t, &loginError{err: err, hint: s.hint}
		}
		s.mu.Lock()
		s.tokens[key] = t
		s.mu.Unlock()
		return t, nil
	})
	select {
	case <-ctx.Done():
		return azcore.AccessToken{}, ctx.Err()
	case r := <-answer:
		return r.Val.(azcore.AccessToken), r.Err
	}
}

func (s *tokenSource) cached(key string) (azcore.AccessToken, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, ok := s.tokens[key]
	return t, ok && s.now().Add(tokenMargin).Before(t.ExpiresOn)
}

// loginError marks a failed login, so that nothing retries it and errors.go knows it.
type loginError struct {
	err  error
	hint string
}

func (e *loginError) Error() string { return e.err.Error() }
func (e *loginError) Unwrap() error { return e.err }

// NonRetriable tells azcore's retry policy to give up.
func (e *loginError) NonRetriable() {}
