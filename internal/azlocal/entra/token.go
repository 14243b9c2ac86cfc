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
	"strings"
	"time"

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
}

// Lifetimes of tokens: an hour for a client secret, a day for a managed identity.
const (
	SecretLifetime  = time.Hour
	MachineLifetime = 24 * time.Hour
)

// Issuer signs and checks tokens with one RSA key, as Entra does (RS256).
type Issuer struct {
	Key    *rsa.PrivateKey
	Tenant string
	Now    func() time.Time
}

// ErrExpired says that a token was good once.
var ErrExpired = errors.New("the token has expired")

// Sign makes a token for a principal. machine is the id of the virtual machine whose
// identity it is, "" for a service principal.
func (i *Issuer) Sign(p arm.Principal, audience, machine string, life time.Duration) (string, Claims, error) {
	now := i.Now()
	c := Claims{
		Audience: audience, Issuer: "https://sts.windows.net/" + i.Tenant + "/",
		IssuedAt: now.Unix(), NotBefore: now.Unix(), Expires: now.Add(life).Unix(),
		AppID: p.AppID, ObjectID: p.ObjectID, Subject: p.ObjectID, TenantID: i.Tenant,
		Kind: "app", Version: "1.0", MSIRes: machine,
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
// It returns ErrExpired together with the claims of an old token.
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
	if i.Now().Unix() >= c.Expires {
		return c, ErrExpired
	}
	return c, nil
}

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
