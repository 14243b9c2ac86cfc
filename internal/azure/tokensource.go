package azure

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"golang.org/x/sync/singleflight"

	"mngr/internal/agent"
)

// tokenMargin is how long before its end a token is no longer handed out.
const tokenMargin = 5 * time.Minute

// tokenSource shares one login among the SDK's modules, each of which would otherwise
// ask for a token of its own, and among the provider instances of a process.
type tokenSource struct {
	open    func() (azcore.TokenCredential, error)
	explain func(error) *loginError
	kept    *tokenCache // nil where nothing is kept on disk
	now     func() time.Time

	flight singleflight.Group
	mu     sync.Mutex
	login  azcore.TokenCredential // nil until first needed
	tokens map[string]azcore.AccessToken
	bad    map[string]bool // tokens that ARM has refused
}

func newTokenSource(open func() (azcore.TokenCredential, error), explain func(error) *loginError, kept *tokenCache) *tokenSource {
	return &tokenSource{
		open: open, explain: explain, kept: kept, now: time.Now,
		tokens: map[string]azcore.AccessToken{}, bad: map[string]bool{},
	}
}

// GetToken implements azcore.TokenCredential. A claims challenge always asks anew.
func (s *tokenSource) GetToken(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	key := strings.Join(append([]string{o.TenantID, strconv.FormatBool(o.EnableCAE)}, o.Scopes...), " ")
	if o.Claims == "" {
		if t, ok := s.cached(key); ok {
			return t, nil
		}
	}
	// The login outlives the caller that happened to come first, since others wait for it.
	answer := s.flight.DoChan(key+"\n"+o.Claims, func() (any, error) {
		ctx, done := agent.Within(context.WithoutCancel(ctx), agent.DeadlineLogin, "logging in to Azure")
		defer done(nil) // a login that fails is explained as such
		return s.obtain(ctx, key, o)
	})
	defer agent.Patiently(ctx, "logging in to Azure")()
	select {
	case <-ctx.Done():
		return azcore.AccessToken{}, ctx.Err()
	case r := <-answer:
		return r.Val.(azcore.AccessToken), r.Err
	}
}

// obtain takes the token that an earlier run has kept, else logs in.
func (s *tokenSource) obtain(ctx context.Context, key string, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	if o.Claims == "" {
		if t, ok := s.cached(key); ok { // somebody was faster
			return t, nil
		}
		if t, ok := s.kept.load(o); ok && s.remember(key, t) {
			return t, nil
		}
	}
	keep := s.kept.begin(o)
	t, err := s.ask(ctx, o)
	if err != nil {
		return t, s.explain(err)
	}
	s.mu.Lock()
	s.tokens[key] = t
	s.mu.Unlock()
	keep(t)
	return t, nil
}

func (s *tokenSource) ask(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	s.mu.Lock()
	if s.login == nil {
		login, err := s.open()
		if err != nil {
			s.mu.Unlock()
			return azcore.AccessToken{}, err
		}
		s.login = login
	}
	login := s.login
	s.mu.Unlock()
	return login.GetToken(ctx, o)
}

func (s *tokenSource) cached(key string) (azcore.AccessToken, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, ok := s.tokens[key]
	return t, ok && s.now().Add(tokenMargin).Before(t.ExpiresOn)
}

// remember takes a token from disk, unless ARM has refused it before.
func (s *tokenSource) remember(key string, t azcore.AccessToken) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bad[t.Token] || !s.now().Add(tokenMargin).Before(t.ExpiresOn) {
		return false
	}
	s.tokens[key] = t
	return true
}

// forget drops a token that ARM has refused: the next caller logs in anew, and what that
// brings replaces it on disk. The credential goes too, since it has a memory of its own.
func (s *tokenSource) forget(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bad[token] {
		return // somebody else's request was refused with it, and saw to this already
	}
	s.bad[token], s.login = true, nil
	for key, t := range s.tokens {
		if t.Token == token {
			delete(s.tokens, key)
		}
	}
}
