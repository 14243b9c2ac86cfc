package azure

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"mngr/internal/agent"
)

const loginCommand = "az login   (or set AZURE_CLIENT_ID, AZURE_TENANT_ID and AZURE_CLIENT_SECRET)"

// loginError is a failed login in our words. Nothing retries it, and errors.go knows it.
type loginError struct {
	err   error
	kind  agent.Kind
	cause string
	hint  string
}

func (e *loginError) Error() string { return e.err.Error() }
func (e *loginError) Unwrap() error { return e.err }

// NonRetriable tells azcore's retry policy to give up.
func (e *loginError) NonRetriable() {}

// loginProblem says in one line why a login failed. The SDK's own error is a page long
// and keeps of its causes only the text.
func loginProblem(err error, at *place, line *contact) *loginError {
	e := &loginError{err: err, kind: agent.KindCredentials, hint: loginCommand}
	failed, ok := errors.AsType[*azidentity.AuthenticationFailedError](err)
	answered := ok && failed.RawResponse != nil
	if answered {
		e.kind, e.cause, e.hint = refusedLogin(failed.RawResponse)
	} else if trouble, hint, ok := unanswered(err, line); ok {
		e.kind, e.cause, e.hint = agent.KindUnreachable, "Azure's login does not answer: "+trouble, hint
	} else {
		e.cause, e.hint = noLogin(err.Error())
	}
	switch {
	case e.kind == agent.KindUnreachable && (answered || broken(line.trouble())):
		e.hint = trySoon // somebody is there
	case at.local != nil && answered:
		e.hint = "mngr azure local principal list # who may log in, and where each one's secret is"
	case at.local != nil:
		e.hint = "mngr azure local up"
	}
	return e
}

// unanswered tells whether the network is to blame. It is not where the chain has gone on
// to a machine's identity: most machines have no metadata service.
func unanswered(err error, line *contact) (cause, hint string, ok bool) {
	if errors.Is(err, context.DeadlineExceeded) {
		return "no answer within " + agent.DeadlineLogin.String(), "check the network, then try again", true
	}
	text := err.Error()
	if line.trouble() == nil || strings.Contains(text, "ManagedIdentityCredential") || strings.Contains(text, "AzureCLICredential") {
		return "", "", false
	}
	return networkWords(line.trouble())
}

// refusedLogin reads what Entra, or a metadata service, answered.
func refusedLogin(resp *http.Response) (kind agent.Kind, cause, hint string) {
	var body struct {
		Error       any    `json:"error"`
		Description string `json:"error_description"`
	}
	if raw, err := runtime.Payload(resp); err == nil {
		_ = json.Unmarshal(raw, &body) // what is no JSON says nothing
	}
	text := body.Description
	if cut := strings.Index(text, " Trace ID:"); cut >= 0 {
		text = text[:cut]
	}
	text, _, _ = strings.Cut(text, "\n")
	if text == "" {
		text = fmt.Sprintf("status %d", resp.StatusCode)
	}
	if resp.Request != nil && resp.Request.URL.Scheme == "http" { // only metadata services speak it
		return agent.KindCredentials, "the machine's managed identity gives no token: " + oneLine(text),
			"set AZURE_TOKEN_CREDENTIALS=dev to use az's login, or give the machine an identity: az vm identity assign"
	}
	if resp.StatusCode >= http.StatusInternalServerError || resp.StatusCode == http.StatusTooManyRequests {
		return agent.KindUnreachable, "Azure's login has trouble of its own: " + oneLine(text), trySoon
	}
	return agent.KindCredentials, "Azure refused the login: " + oneLine(text),
		"check AZURE_CLIENT_ID, AZURE_TENANT_ID and AZURE_CLIENT_SECRET, or unset them and run `az login`"
}

var challengeCommand = regexp.MustCompile(`az login [^\n]*--claims-challenge \S+`)

// noLogin sums up what each link of the chain said.
func noLogin(text string) (cause, hint string) {
	if command := challengeCommand.FindString(text); command != "" {
		return "Azure wants this login confirmed again", command
	}
	if missing := missingFromEnvironment(); len(missing) > 0 && (os.Getenv("AZURE_CLIENT_ID") != "" || os.Getenv("AZURE_CLIENT_SECRET") != "") {
		return "the service principal in the environment is incomplete: no " + strings.Join(missing, ", no "),
			"set " + strings.Join(missing, " and ") + ", or unset the others and run `az login`"
	}
	var found []string
	for line := range strings.SplitSeq(text, "\n") {
		name, what, _ := strings.Cut(strings.TrimSpace(line), ": ")
		switch name {
		case "EnvironmentCredential":
			if missing := missingFromEnvironment(); len(missing) == 0 {
				found = append(found, oneLine(what)) // a certificate that cannot be read
			} else {
				found = append(found, "no service principal in the environment")
			}
		case "ManagedIdentityCredential":
			found = append(found, "no managed identity")
		case "AzureCLICredential":
			found = append(found, azWords(what))
		}
	}
	if len(found) == 0 {
		return "no Azure login: " + oneLine(text), loginCommand
	}
	return "no Azure login: " + strings.Join(found, ", "), loginCommand
}

func azWords(said string) string {
	switch {
	case strings.Contains(said, "not found on path"):
		return "az is not installed"
	case strings.Contains(said, "az login"):
		return "az is not logged in"
	}
	return "az failed: " + oneLine(said)
}
