package azure

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/url"
	"syscall"

	"mngr/internal/plain"
)

// networkWords says why a request got no answer, in a few words without its URL, and what
// helps. ok is false for errors that have nothing to do with the network.
func networkWords(err error) (cause, hint string, ok bool) {
	server := "Azure"
	at := "https://management.azure.com"
	if u, is := errors.AsType[*url.Error](err); is {
		if asked, bad := url.Parse(u.URL); bad == nil && asked.Host != "" {
			server, at = plain.Line(asked.Host, 100), asWord("", asked.Scheme+"://"+plain.Line(asked.Host, 100))
		}
	}
	try := "curl -sSI " + at + " # tells whether the network reaches it; a proxy is taken from HTTPS_PROXY"
	_, notTrusted := errors.AsType[*tls.CertificateVerificationError](err)
	_, unknownAuthority := errors.AsType[x509.UnknownAuthorityError](err)
	dns, noName := errors.AsType[*net.DNSError](err)
	timeout, slow := errors.AsType[net.Error](err)
	switch {
	case noName:
		return "the name " + plain.Line(dns.Name, 100) + " cannot be resolved", try, true
	case notTrusted || unknownAuthority:
		return "the certificate of " + server + " is not trusted",
			"curl -sSI " + at + " # if a proxy inspects TLS here, name its certificate authority in SSL_CERT_FILE", true
	case errors.Is(err, syscall.ECONNREFUSED):
		return server + " refuses the connection", try, true
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH):
		return "there is no way to " + server + " from here", try, true
	case broken(err):
		return "the connection to " + server + " broke before its answer was there", "mngr list # shows what has become of it; then repeat the command", true
	case slow && timeout.Timeout():
		return server + " does not answer", try, true
	case slow:
		return "no connection to " + server + ": " + plain.Line(innermost(err).Error(), 150), try, true
	}
	return "", "", false
}

// broken tells of a connection that somebody had accepted.
func broken(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
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
