package azure

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/url"
	"syscall"
)

// transport says why a request got no answer, in one line without its URL, and what
// helps. ok is false for errors that have nothing to do with the network.
func transport(err error) (cause, hint string, ok bool) {
	server := "Azure"
	try := "curl -sSI https://management.azure.com # tells whether Azure can be reached from here; a proxy is taken from HTTPS_PROXY"
	if u, is := errors.AsType[*url.Error](err); is {
		if at, parsed := url.Parse(u.URL); parsed == nil && at.Host != "" {
			server = plain(at.Host, 100)
			try = "curl -sSI https://" + server + " # tells whether it can be reached from here; a proxy is taken from HTTPS_PROXY"
		}
	}
	_, notTrusted := errors.AsType[*tls.CertificateVerificationError](err)
	_, unknownAuthority := errors.AsType[x509.UnknownAuthorityError](err)
	dns, noName := errors.AsType[*net.DNSError](err)
	timeout, slow := errors.AsType[net.Error](err)
	switch {
	case noName:
		return "the name " + plain(dns.Name, 100) + " cannot be resolved", try, true
	case notTrusted || unknownAuthority:
		return "the certificate of " + server + " is not trusted: is there a proxy in between?", try, true
	case errors.Is(err, syscall.ECONNREFUSED):
		return server + " refuses connections", try, true
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH):
		return "there is no way to " + server + " from here", try, true
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "the connection to " + server + " broke before its answer was there", "mngr list # shows what has become of it; then repeat the command", true
	case slow && timeout.Timeout():
		return server + " does not answer", try, true
	case slow:
		return "no connection to " + server + ": " + plain(innermost(err).Error(), 150), try, true
	}
	return "", "", false
}

// innermost is what lies at the end of err's chain, without the URL that wraps it.
func innermost(err error) error {
	for {
		beneath := errors.Unwrap(err)
		if beneath == nil {
			return err
		}
		err = beneath
	}
}
