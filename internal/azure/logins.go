package azure

import (
	"crypto/sha256"
	"fmt"
	"sync"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
)

// Logins are the logins of one process. Provider instances that share them log in once
// to each cloud, and take the token that an earlier run has left in dir.
type Logins struct {
	dir string

	mu      sync.Mutex
	sources map[string]*tokenSource
}

// NewLogins keeps tokens in dir, which is made when first needed; "" keeps nothing.
func NewLogins(dir string) *Logins {
	return &Logins{dir: dir, sources: map[string]*tokenSource{}}
}

// source returns the login to a cloud. Nothing is asked before its first token.
func (l *Logins) source(at *place) *tokenSource {
	l.mu.Lock()
	defer l.mu.Unlock()
	key := at.identity()
	if s, ok := l.sources[key]; ok {
		return s
	}
	line := &contact{client: at.client}
	open := func() (azcore.TokenCredential, error) { return newCredential(at, line) }
	explain := func(err error) *loginError { return loginProblem(err, at, line) }
	s := newTokenSource(open, explain, l.cache(at, line))
	l.sources[key] = s
	return s
}

// cache is nil where tokens are not kept: the local Azure answers at once.
func (l *Logins) cache(at *place, line *contact) *tokenCache {
	if l.dir == "" || at.local != nil {
		return nil
	}
	return &tokenCache{dir: l.dir, place: at.identity(), line: line}
}

// identity tells places apart by all that decides where a login happens.
func (p *place) identity() string {
	arm := p.arm()
	id := fmt.Sprintf("%q %q %q %x", p.cloud.ActiveDirectoryAuthorityHost, arm.Endpoint, arm.Audience, sha256.Sum256(p.ca))
	if p.local != nil {
		id += fmt.Sprintf(" %q %q", p.local.TenantID, p.local.ClientSecretFile)
	}
	return id
}
