package azurecheck

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// arm sends single requests to ARM and repeats nothing: the first answer is the evidence.
type arm struct {
	endpoint string
	client   *http.Client
	token    tokens
	poll     time.Duration // pause between two looks
}

// answer is what ARM said to one request.
type answer struct {
	status    int
	header    http.Header
	raw       []byte
	operation string // URL of what it started; ""
}

// String is the answer as evidence: status, code and the beginning of the message.
func (a answer) String() string {
	var doc struct{ Error armError }
	_ = json.Unmarshal(a.raw, &doc)
	text := strconv.Itoa(a.status)
	if doc.Error.Code != "" {
		text += " " + doc.Error.Code + ": " + doc.Error.Message
	}
	return short(text)
}

type armError struct{ Code, Message string }

func short(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	const most = 160
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}

func (a answer) ok() bool { return a.status >= 200 && a.status < 300 }

// into decodes the body.
func (a answer) into(v any) error {
	if err := json.Unmarshal(a.raw, v); err != nil {
		return fmt.Errorf("read ARM's answer: %w", err)
	}
	return nil
}

// send asks ARM once. path begins with a slash and may hold a query; body may be nil.
func (c *arm) send(ctx context.Context, method, path, version string, body any) (answer, error) {
	target := path
	if !strings.HasPrefix(path, "https://") {
		u, err := url.Parse(c.endpoint + path)
		if err != nil {
			return answer{}, err
		}
		q := u.Query()
		q.Set("api-version", version)
		u.RawQuery = q.Encode()
		target = u.String()
	}
	var content io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return answer{}, err
		}
		content = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, target, content)
	if err != nil {
		return answer{}, err
	}
	token, err := c.token(ctx)
	if err != nil {
		return answer{}, err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.client.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	a := answer{status: resp.StatusCode, header: resp.Header}
	if a.raw, err = io.ReadAll(io.LimitReader(resp.Body, 16<<20)); err != nil {
		return a, err
	}
	a.operation = resp.Header.Get("Azure-AsyncOperation")
	return a, nil
}

// outcome is the state of an operation: InProgress, Succeeded, Failed or Canceled.
type outcome struct {
	Status string
	Error  armError
}

func (o outcome) over() bool {
	return o.Status == "Succeeded" || o.Status == "Failed" || o.Status == "Canceled"
}

func (o outcome) String() string { return short(o.Status + " " + o.Error.Code) }

func (c *arm) look(ctx context.Context, operation string) (outcome, error) {
	var o outcome
	a, err := c.send(ctx, http.MethodGet, operation, "", nil)
	if err != nil {
		return o, err
	}
	return o, a.into(&o)
}

// wait follows an operation to its end. An answer without one is its own outcome.
func (c *arm) wait(ctx context.Context, a answer) (outcome, error) {
	if a.operation == "" {
		if a.ok() {
			return outcome{Status: "Succeeded"}, nil
		}
		return outcome{Status: "Failed", Error: armError{Code: a.String()}}, nil
	}
	for {
		o, err := c.look(ctx, a.operation)
		if err != nil || o.over() {
			return o, err
		}
		if err := c.pause(ctx); err != nil {
			return o, err
		}
	}
}

func (c *arm) pause(ctx context.Context) error { return pause(ctx, c.poll) }

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
