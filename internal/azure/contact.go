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

// networkWords says in a few words, and with a remedy, why nobody answered; ok is false
// for an error that is none of the network's.
func networkWords(err error) (cause, hint string, ok bool) {
	hint = "check the network, then try again"
	if dns, is := errors.AsType[*net.DNSError](err); is {
		return "the name " + dns.Name + " cannot be resolved", hint, true
	}
	if bad, is := errors.AsType[*tls.CertificateVerificationError](err); is {
		return "its certificate is not trusted: " + oneLine(bad.Unwrap().Error()),
			"if a proxy inspects TLS here, name its certificate authority in SSL_CERT_FILE", true
	}
	n, is := errors.AsType[net.Error](err)
	if !is {
		return "", "", false
	}
	if op, is := errors.AsType[*net.OpError](err); is && op.Addr != nil {
		if errors.Is(op.Err, syscall.ECONNREFUSED) {
			return op.Addr.String() + " refuses the connection", hint, true
		}
		return op.Addr.String() + ": " + oneLine(op.Err.Error()), hint, true
	}
	if n.Timeout() {
		return "no answer in time", hint, true
	}
	return oneLine(n.Error()), hint, true
}
