package entra

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"mngr/internal/azlocal/arm"
)

// Claims are the contents of an access token, named as Entra names them.
type Claims struct {
	Audience  string `json:"aud"`
	Issuer    string `json:"iss"`
	IssuedAt  int64  `json:"iat"`
	NotBefore int64  `json:"nbf"`
	Expires   int64  `json:"exp"`
	AppID     string `json:"appid"`
	ObjectID  string `json:"oid"`
	Subject   string `json:"sub"`
	TenantID  string `json:"tid"`
	Kind      string `json:"idtyp"` // "app"
	Version   string `json:"ver"`   // "1.0"
	MSIRes    string `json:"xms_mirid,omitempty"`
	// Capabilities are what the client said it can do: CP1 means that it takes up claims
	// challenges, and so that its tokens can be revoked.
	Capabilities []string `json:"xms_cc,omitempty"`
	ID           string   `json:"uti"`
}

// MachineLifetime is that of a managed identity's token. A client secret's is a setting.
const MachineLifetime = 24 * time.Hour

// skew is how far clocks may disagree about the beginning of a token.
const skew = 5 * time.Minute

// Issuer signs and checks tokens with one RSA key, as Entra does (RS256).
type Issuer struct {
	Key    *rsa.PrivateKey
	Tenant string
	Now    func() time.Time
	Apps   *Directory
}

// What may be wrong with a token that was good once.
var (
	ErrExpired = errors.New("the token has expired")
	// ErrRevoked comes with the time from which on new tokens are good.
	ErrRevoked = errors.New("the token has been revoked")
)

// Sign makes a token for a principal. machine is the id of the virtual machine whose
// identity it is, "" for a service principal.
func (i *Issuer) Sign(p arm.Principal, audience, machine string, life time.Duration, capabilities ...string) (string, Claims, error) {
	now := i.Now()
	if from := i.Apps.validFrom(p.ObjectID); now.Before(from) { // in the second of a revocation
		now = from
	}
	c := Claims{
		Audience: audience, Issuer: i.name(),
		IssuedAt: now.Unix(), NotBefore: now.Unix(), Expires: now.Add(life).Unix(),
		AppID: p.AppID, ObjectID: p.ObjectID, Subject: p.ObjectID, TenantID: i.Tenant,
		Kind: "app", Version: "1.0", MSIRes: machine,
		Capabilities: capabilities, ID: uuid.NewString(),
	}
	payload, err := json.Marshal(c)
	if err != nil {
		return "", c, fmt.Errorf("encode claims: %w", err)
	}
	head := fmt.Sprintf(`{"typ":"JWT","alg":"RS256","kid":%q}`, i.KeyID())
	signed := b64([]byte(head)) + "." + b64(payload)
	sum := sha256.Sum256([]byte(signed))
	sig, err := rsa.SignPKCS1v15(rand.Reader, i.Key, crypto.SHA256, sum[:])
	if err != nil {
		return "", c, fmt.Errorf("sign a token: %w", err)
	}
	return signed + "." + b64(sig), c, nil
}

// Verify checks a token's signature and times. The audience is the caller's to judge.
// It returns ErrExpired and ErrRevoked together with the claims of an old token. A token
// of a client that takes up no challenges cannot be revoked (documentation:
// concept-continuous-access-evaluation).
func (i *Issuer) Verify(token string) (Claims, error) {
	var c Claims
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return c, errors.New("not a token of three parts")
	}
	var head struct{ Alg string }
	if err := decodePart(parts[0], &head); err != nil || head.Alg != "RS256" {
		return c, errors.New("not an RS256 token")
	}
	sig, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		return c, fmt.Errorf("decode the signature: %w", err)
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if err := rsa.VerifyPKCS1v15(&i.Key.PublicKey, crypto.SHA256, sum[:], sig); err != nil {
		return c, fmt.Errorf("check the signature: %w", err)
	}
	if err := decodePart(parts[1], &c); err != nil {
		return c, err
	}
	switch now := i.Now(); {
	case now.Unix() >= c.Expires:
		return c, ErrExpired
	case now.Add(skew).Unix() < c.NotBefore:
		return c, errors.New("the token is not valid yet")
	case c.IssuedAt < i.ValidFrom(c).Unix() && slices.ContainsFunc(c.Capabilities, func(s string) bool { return strings.EqualFold(s, "cp1") }):
		return c, ErrRevoked
	}
	return c, nil
}

// name is the issuer that tokens of the first version name.
func (i *Issuer) name() string { return "https://sts.windows.net/" + i.Tenant + "/" }

// ValidFrom is when the tokens of a principal were last revoked, zero for never.
func (i *Issuer) ValidFrom(c Claims) time.Time { return i.Apps.validFrom(c.ObjectID) }

// KeyID names the signing key.
func (i *Issuer) KeyID() string {
	sum := sha256.Sum256(i.Key.N.Bytes())
	return b64(sum[:16])
}

func decodePart(part string, into any) error {
	data, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		return fmt.Errorf("decode a token: %w", err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("decode a token: %w", err)
	}
	return nil
}

func b64(data []byte) string { return base64.RawURLEncoding.EncodeToString(data) }
