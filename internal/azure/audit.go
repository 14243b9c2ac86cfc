package azure

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/google/uuid"

	"mngr/internal/journal"
)

// Journal is told of every write before it goes out, and of what became of it. It must not
// fail: what cannot be written down is done all the same.
type Journal interface {
	Append(journal.Entry)
}

// audit tells the journal of each attempt of each write. It stands behind the SDK's retries
// and its login, so that it sees what goes over the wire, and whose token goes with it.
type audit struct {
	journal      Journal
	provider     string
	subscription string
}

// attempts counts those of one call of the SDK.
type attempts struct{ made int }

// countAttempts begins the count for a call; it stands before what may repeat it.
type countAttempts struct{}

// Do implements policy.Policy.
func (countAttempts) Do(req *policy.Request) (*http.Response, error) {
	req.SetOperationValue(&attempts{})
	return req.Next()
}

// Do implements policy.Policy.
func (a *audit) Do(req *policy.Request) (*http.Response, error) {
	raw := req.Raw()
	switch raw.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return req.Next()
	}
	entry := journal.Entry{
		ID: uuid.NewString(), Time: time.Now(), State: journal.Sent,
		Provider: a.provider, Subscription: a.subscription, Method: raw.Method, Attempt: 1,
	}
	var count *attempts
	if req.OperationValue(&count) {
		count.made++
		entry.Attempt = count.made
	}
	entry.Operation, entry.Resource = operationOf(raw.Method, raw.URL.Path)
	token, _ := strings.CutPrefix(raw.Header.Get("Authorization"), "Bearer ")
	who := bearer(token)
	entry.Principal, entry.PrincipalName, entry.App, entry.Tenant = who.ObjectID, who.name(), who.app(), who.TenantID
	// Azure's activity log has it as httpRequest.clientRequestId, answered or not.
	raw.Header.Set("x-ms-client-request-id", entry.ID)
	a.journal.Append(entry)
	resp, err := req.Next()
	a.journal.Append(answered(entry, resp, err))
	return resp, err
}

// answered is the entry with what became of its request.
func answered(entry journal.Entry, resp *http.Response, err error) journal.Entry {
	entry.State = journal.Answered
	entry.Millis = float64(time.Since(entry.Time).Microseconds()) / 1000
	if resp != nil {
		entry.Status = resp.StatusCode
		entry.Request = resp.Header.Get("x-ms-request-id")
		entry.Correlation = resp.Header.Get("x-ms-correlation-request-id")
	}
	if err != nil {
		entry.State = journal.Broken
		entry.Trouble = trouble(err)
		return entry
	}
	if resp.StatusCode >= http.StatusBadRequest {
		if said, ok := asARM(runtime.NewResponseError(resp)); ok {
			entry.Code = said.code
		}
	}
	return entry
}

// trouble says why there is no answer, without the URL.
func trouble(err error) string {
	if cause, _, ok := networkWords(err); ok {
		return cause
	}
	return innermost(err).Error()
}

// claims are those of an access token that say whose it is (Microsoft, "Access token
// claims reference"). Nobody checks its signature here: it has just been given to us.
type claims struct {
	ObjectID      string `json:"oid"`
	TenantID      string `json:"tid"`
	AppID         string `json:"appid"` // of version 1
	AuthorizedBy  string `json:"azp"`   // the same, of version 2
	UPN           string `json:"upn"`
	UniqueName    string `json:"unique_name"`
	PreferredName string `json:"preferred_username"`
}

func (c claims) app() string {
	if c.AppID == "" {
		return c.AuthorizedBy
	}
	return c.AppID
}

func (c claims) name() string {
	for _, name := range []string{c.UPN, c.PreferredName, c.UniqueName} {
		if name != "" {
			return name
		}
	}
	return ""
}

// bearer reads a token; what is none has no claims.
func bearer(token string) claims {
	var c claims
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return c
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || json.Unmarshal(payload, &c) != nil {
		return claims{}
	}
	return c
}

const providersPart = "/providers/"

// operationOf names what a request asks for as Azure's roles and its activity log do, and
// the resource that it asks it of: "Microsoft.Compute/virtualMachines/deallocate/action".
func operationOf(method, path string) (operation, resource string) {
	if at := strings.Index(asciiLower(path), "/subscriptions/"); at > 0 {
		path = path[at:] // a cloud of one's own may have its ARM below a path
	}
	resource = strings.TrimRight(path, "/")
	namespace, rest := "Microsoft.Resources", strings.Split(strings.Trim(resource, "/"), "/")
	if at := strings.LastIndex(asciiLower(resource), providersPart); at >= 0 {
		rest = strings.Split(resource[at+len(providersPart):], "/")
		namespace, rest = rest[0], rest[1:]
	}
	rest = slices.DeleteFunc(rest, func(s string) bool { return s == "" })
	verb := "write"
	switch method {
	case http.MethodDelete:
		verb = "delete"
	case http.MethodPost:
		verb = "action"
	}
	words := []string{namespace}
	for i := 0; i < len(rest); i += 2 {
		words = append(words, canonicalType(rest[i]))
	}
	if verb == "action" && len(rest) > 0 {
		resource = strings.TrimSuffix(resource, "/"+rest[len(rest)-1])
		if len(rest)%2 == 0 { // an action of a collection stands where a name would
			words = append(words, rest[len(rest)-1])
		}
	}
	return strings.Join(append(words, verb), "/"), resource
}

// asciiLower is s in lower case with every byte at its place, which strings.ToLower does not
// promise outside ASCII.
func asciiLower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

// canonicalType spells the one type that the SDK spells differently in paths.
func canonicalType(s string) string {
	if strings.EqualFold(s, "resourceGroups") {
		return "resourceGroups"
	}
	return s
}
