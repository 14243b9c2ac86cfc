package azure

import (
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"sync/atomic"
	"syscall"
)

// contact carries the requests of one login, or of one session, and knows how it went so
// far. Until somebody has answered, an error that will not pass by itself is final: the
// SDK would try a name that does not exist four times over ten seconds.
type contact struct {
	client  *http.Client
	met     atomic.Bool           // somebody has answered
	granted atomic.Bool           // with success
	failure atomic.Pointer[error] // the last one
}

// Do implements policy.Transporter.
func (c *contact) Do(req *http.Request) (*http.Response, error) {
	resp, err := c.client.Do(req)
	if err != nil {
		c.failure.Store(&err)
		if !c.met.Load() && lasting(err) {
			return nil, finalError{err}
		}
		return nil, err
	}
	c.met.Store(true)
	if resp.StatusCode < http.StatusMultipleChoices {
		c.granted.Store(true)
	}
	return resp, nil
}

// trouble is the last network error, nil where there was none.
func (c *contact) trouble() error {
	if err := c.failure.Load(); err != nil {
		return *err
	}
	return nil
}

func lasting(err error) bool {
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		return dns.IsNotFound
	}
	_, untrusted := errors.AsType[*tls.CertificateVerificationError](err)
	return untrusted || errors.Is(err, syscall.ECONNREFUSED)
}

// finalError keeps azcore's retry policy from trying again.
type finalError struct{ error }

func (e finalError) Unwrap() error { return e.error }

// NonRetriable implements the interface that the retry policy looks for.
func (finalError) NonRetriable() {}
