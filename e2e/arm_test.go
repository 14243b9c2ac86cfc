package e2e

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// arm STATUS METHOD PATH [FILE] sends a request to the local Azure as the principal of
// $MNGR_AZLOCAL_DIR, with the contents of FILE, and wants a status. /SUB in both is the
// subscription's scope. The answer is in the file "answer".
func armRequest(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 || len(args) > 4 {
		ts.Fatalf("usage: arm STATUS METHOD PATH [FILE]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	c := newAzureClient(ts)
	expand := func(s string) string { return strings.ReplaceAll(s, "/SUB", "/subscriptions/"+c.SubscriptionID) }
	body := ""
	if len(args) == 4 {
		body = expand(ts.ReadFile(args[3]))
	}
	req, err := http.NewRequest(args[1], c.Endpoint+expand(args[2]), strings.NewReader(body))
	ts.Check(err)
	req.Header.Set("Authorization", "Bearer "+c.token(ts))
	req.Header.Set("Content-Type", "application/json")
	status, answer := c.send(ts, req)
	ts.Check(os.WriteFile(ts.MkAbs("answer"), answer, 0o600))
	if status != want {
		ts.Fatalf("%s %s: status %d, want %d: %s", args[1], args[2], status, want, answer)
	}
}

// azureClient is what client.json says, and nothing of mngr's own client.
type azureClient struct {
	Endpoint         string `json:"endpoint"`
	CAFile           string `json:"ca_file"`
	TenantID         string `json:"tenant_id"`
	SubscriptionID   string `json:"subscription_id"`
	ClientID         string `json:"client_id"`
	ClientSecretFile string `json:"client_secret_file"`

	http *http.Client
}

func newAzureClient(ts *testscript.TestScript) *azureClient {
	raw, err := os.ReadFile(filepath.Join(ts.Getenv("MNGR_AZLOCAL_DIR"), "client.json"))
	ts.Check(err)
	c := &azureClient{}
	ts.Check(json.Unmarshal(raw, c))
	pem, err := os.ReadFile(c.CAFile)
	ts.Check(err)
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}
	ts.Defer(transport.CloseIdleConnections)
	c.http = &http.Client{Transport: transport, Timeout: 30 * time.Second}
	return c
}

func (c *azureClient) token(ts *testscript.TestScript) string {
	secret, err := os.ReadFile(c.ClientSecretFile)
	ts.Check(err)
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {c.ClientID}, "client_secret": {string(secret)}, "scope": {"https://management.azure.com/.default"}}
	req, err := http.NewRequest(http.MethodPost, c.Endpoint+"/"+c.TenantID+"/oauth2/v2.0/token", strings.NewReader(form.Encode()))
	ts.Check(err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	status, answer := c.send(ts, req)
	var token struct {
		AccessToken string `json:"access_token"`
	}
	ts.Check(json.Unmarshal(answer, &token))
	if token.AccessToken == "" {
		ts.Check(fmt.Errorf("no token: status %d: %s", status, answer))
	}
	return token.AccessToken
}

func (c *azureClient) send(ts *testscript.TestScript, req *http.Request) (status int, answer []byte) {
	resp, err := c.http.Do(req)
	ts.Check(err)
	defer resp.Body.Close()
	answer, err = io.ReadAll(resp.Body)
	ts.Check(err)
	return resp.StatusCode, answer
}
