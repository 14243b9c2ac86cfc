package contract

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
)

// Marks of what is written and never read: each is sent by the tests.
const (
	password   = "Pa55word-mark"
	customData = "I2Nsb3VkLWNvbmZpZyBtYXJr"
	userData   = "dXNlci1kYXRhLW1hcms="
	scriptText = "touch /script-mark"
)

// tap is the wire under every client. It holds each answer against what is true for all.
type tap struct {
	t    testing.TB
	wire http.RoundTripper

	mu   sync.Mutex
	body []byte // of the last answer of ARM
}

func (p *tap) Do(req *http.Request) (*http.Response, error) {
	resp, err := p.wire.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	if err := resp.Body.Close(); err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	if strings.Contains(req.URL.RawQuery, "api-version=") {
		p.hold(req, resp, body)
		p.mu.Lock()
		p.body = body
		p.mu.Unlock()
	}
	return resp, nil
}

// hold fails the test where an answer lacks what every answer of ARM has, or tells what no
// answer may.
func (p *tap) hold(req *http.Request, resp *http.Response, body []byte) {
	call := req.Method + " " + req.URL.Path
	for _, name := range []string{"Cache-Control", "Pragma", "Expires", "Strict-Transport-Security", "X-Content-Type-Options", "X-Ms-Request-Id", "X-Ms-Correlation-Request-Id", "X-Ms-Routing-Request-Id"} {
		if resp.Header.Get(name) == "" {
			p.t.Errorf("%s: %d without %s", call, resp.StatusCode, name)
		}
	}
	expanded := strings.Contains(strings.ToLower(req.URL.RawQuery), "userdata")
	for _, secret := range []string{password, customData, userData, scriptText, `"adminPassword":`, `"customData":`, `"userData":`} {
		if bytes.Contains(body, []byte(secret)) && !(expanded && (secret == userData || secret == `"userData":`)) {
			p.t.Errorf("%s: %s came back", call, secret)
		}
	}
	for _, name := range []string{"Azure-Asyncoperation", "Location"} {
		if url := resp.Header.Get(name); url != "" && !strings.HasPrefix(url, "https://"+req.URL.Host+"/") {
			p.t.Errorf("%s: %s is %q", call, name, url)
		}
	}
}

// last is the body of the last answer.
func (p *tap) last() []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.body
}

// strict fails where the last answer has something that the SDK's model of it has not: a
// misspelt key, a string where a number stands. v is what the SDK made of the answer.
func strict[T any](l *local) func(T, error) T {
	return func(v T, err error) T {
		l.t.Helper()
		if err != nil {
			l.t.Fatal(err)
		}
		l.same(v)
		return v
	}
}

// beyond are keys that Azure sends and a client's models lack, with what tells that Azure
// does. A row that no answer needs any more fails.
var beyond = map[string]string{
	"armsubscriptions count":                "known from use; the specification has no such key",
	"armsubscriptions count.type":           "the same",
	"armsubscriptions count.value":          "the same",
	"armnetwork kind":                       "recording nic.get",
	"armnetwork properties.allowPort25Out":  "recording nic.get",
	"armauthorization properties.createdBy": "documentation of roleDefinitions 2022-04-01",
	"armauthorization properties.createdOn": "the same",
	"armauthorization properties.updatedBy": "the same",
	"armauthorization properties.updatedOn": "the same",
}

var needed sync.Map

func TestMain(m *testing.M) {
	code := m.Run()
	if flag.Lookup("test.run").Value.String() == "" {
		for row := range beyond {
			if _, ok := needed.Load(row); !ok {
				fmt.Println("no answer has any more what the models lack:", row)
				code = 1
			}
		}
	}
	os.Exit(code)
}

func (l *local) same(v any) {
	l.t.Helper()
	var raw, model any
	if len(l.tap.last()) == 0 {
		return
	}
	if err := json.Unmarshal(l.tap.last(), &raw); err != nil {
		l.t.Fatalf("%v: %s", err, l.tap.last())
	}
	text, err := json.Marshal(v)
	if err != nil {
		l.t.Fatal(err)
	}
	if err := json.Unmarshal(text, &model); err != nil {
		l.t.Fatal(err)
	}
	kept := paths(model)
	for path := range paths(raw) {
		if kept[path] {
			continue
		}
		row := strings.Split(fmt.Sprintf("%T", v), ".")[0] + " " + strings.TrimPrefix(path, "value[].")
		if _, listed := beyond[row]; listed {
			needed.Store(row, true)
		} else {
			l.t.Errorf("%T has no %s", v, path)
		}
	}
}

// paths are those of all keys that hold something, elements of arrays as one.
func paths(v any) map[string]bool {
	into := map[string]bool{}
	collect(v, "", into)
	return into
}

func collect(v any, path string, into map[string]bool) {
	switch x := v.(type) {
	case map[string]any:
		for k, e := range x {
			p := strings.TrimPrefix(path+"."+k, ".")
			if e != nil {
				into[p] = true
			}
			collect(e, p, into)
		}
	case []any:
		for _, e := range x {
			collect(e, path+"[]", into)
		}
	}
}
