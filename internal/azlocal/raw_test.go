package azlocal

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// raw speaks HTTP without an SDK.
type raw struct {
	*local
	token  string
	client *http.Client
}

func (l *local) raw(ctx context.Context) *raw {
	l.t.Helper()
	token, err := l.credential().GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{"https://management.core.windows.net//.default"}})
	if err != nil {
		l.t.Fatal(err)
	}
	return &raw{local: l, token: token.Token, client: l.client()}
}

type reply struct {
	Status int
	Header http.Header
	Body   []byte // compact
	Raw    []byte
}

func (r *raw) do(ctx context.Context, method, url, body string) reply {
	r.t.Helper()
	if !strings.HasPrefix(url, "https://") {
		url = r.inst.Endpoint() + url
	}
	req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if r.token != "" {
		req.Header.Set("Authorization", "Bearer "+r.token)
	}
	return r.send(req)
}

func (r *raw) send(req *http.Request) reply {
	r.t.Helper()
	resp, err := r.client.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	var flat bytes.Buffer
	if len(data) > 0 {
		if err := json.Compact(&flat, data); err != nil {
			r.t.Fatalf("%s %s: %v: %s", req.Method, req.URL, err, data)
		}
	}
	return reply{resp.StatusCode, resp.Header, flat.Bytes(), data}
}

// settle polls an operation by its status URL until it has succeeded.
func (r *raw) settle(ctx context.Context, rep reply) reply {
	r.t.Helper()
	url := rep.Header.Get("Azure-AsyncOperation")
	for {
		got := r.do(ctx, "GET", url, "")
		var op struct{ Status string }
		if err := json.Unmarshal(got.Body, &op); err != nil {
			r.t.Fatalf("poll %s: %v: %s", url, err, got.Body)
		}
		switch {
		case op.Status == "Succeeded":
			return got
		case op.Status != "InProgress" || ctx.Err() != nil:
			r.t.Fatalf("operation: %s", got.Body)
		}
	}
}
