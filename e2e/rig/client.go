package rig

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Client speaks to a local Azure's ARM as the principal of a state directory, by what
// client.json says, and by nothing of mngr's own client.
type Client struct {
	Endpoint         string `json:"endpoint"`
	CAFile           string `json:"ca_file"`
	TenantID         string `json:"tenant_id"`
	SubscriptionID   string `json:"subscription_id"`
	ClientID         string `json:"client_id"`
	ClientSecretFile string `json:"client_secret_file"`

	http  *http.Client
	token string
}

// NewClient logs in as the principal of a directory.
func NewClient(ctx context.Context, dir string) (*Client, error) {
	raw, err := os.ReadFile(filepath.Join(dir, "client.json"))
	if err != nil {
		return nil, fmt.Errorf("find the local Azure: %w", err)
	}
	c := &Client{}
	if err := json.Unmarshal(raw, c); err != nil {
		return nil, fmt.Errorf("read client.json: %w", err)
	}
	pem, err := os.ReadFile(c.CAFile)
	if err != nil {
		return nil, fmt.Errorf("read the authority: %w", err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	c.http = &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}}
	return c, c.login(ctx)
}

// Close ends idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

func (c *Client) login(ctx context.Context) error {
	secret, err := os.ReadFile(c.ClientSecretFile)
	if err != nil {
		return fmt.Errorf("read the secret: %w", err)
	}
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {c.ClientID}, "client_secret": {string(secret)}, "scope": {"https://management.azure.com/.default"}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.Endpoint+"/"+c.TenantID+"/oauth2/v2.0/token", strings.NewReader(form.Encode()))
	if err != nil {
		return fmt.Errorf("log in: %w", err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	status, answer, err := c.send(req)
	if err != nil {
		return err
	}
	var token struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.Unmarshal(answer, &token); err != nil || token.AccessToken == "" {
		return fmt.Errorf("log in: status %d: %s", status, answer)
	}
	c.token = token.AccessToken
	return nil
}

// Do sends one request. In path and body, /SUB is the subscription's scope.
func (c *Client) Do(ctx context.Context, method, path string, body []byte) (status int, answer []byte, err error) {
	scope := "/subscriptions/" + c.SubscriptionID
	body = bytes.ReplaceAll(body, []byte("/SUB"), []byte(scope))
	req, err := http.NewRequestWithContext(ctx, method, c.Endpoint+strings.ReplaceAll(path, "/SUB", scope), bytes.NewReader(body))
	if err != nil {
		return 0, nil, fmt.Errorf("%s %s: %w", method, path, err)
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	req.Header.Set("Content-Type", "application/json")
	return c.send(req)
}

func (c *Client) send(req *http.Request) (int, []byte, error) {
	resp, err := c.http.Do(req)
	if err != nil {
		return 0, nil, fmt.Errorf("ask ARM: %w", err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, nil, fmt.Errorf("read ARM's answer: %w", err)
	}
	return resp.StatusCode, answer, nil
}
