package azure

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"mngr/internal/agent"
)

// answer is what an ARM code means to a user. An empty cause is replaced by ARM's words.
type answer struct {
	kind  agent.Kind
	cause string
	hint  string
}

// answers is the one table of ARM codes, in lower case. Sources: Microsoft's pages on
// common deployment, allocation and role assignment errors, and the network provider's.
var answers = map[string]answer{
	// Nobody, or somebody else.
	"authenticationfailed":             {agent.KindCredentials, "Azure refused the login", "az login"},
	"invalidauthenticationtoken":       {agent.KindCredentials, "Azure refused the login's token", "az login"},
	"expiredauthenticationtoken":       {agent.KindCredentials, "the login has expired", "az login"},
	"invalidauthenticationtokentenant": {agent.KindCredentials, "the login belongs to another tenant than the subscription", "az login --tenant TENANT"},
	"subscriptionnotfound":             {agent.KindCredentials, "the login sees no such subscription", "az account list --output table"},
	"invalidsubscriptionid":            {agent.KindUsage, "", "az account list --output table"},
	"readonlydisabledsubscription":     {agent.KindDenied, "the subscription is disabled", "az account list --output table"},

	// Not allowed.
	"authorizationfailed":         {agent.KindDenied, "", "ask for the role Contributor on the resource group: az role assignment create --role Contributor …"},
	"linkedauthorizationfailed":   {agent.KindDenied, "", "ask for the role Network Contributor on the resource group"},
	"requestdisallowedbypolicy":   {agent.KindDenied, "", "az policy assignment list --output table"},
	"scopelocked":                 {agent.KindDenied, "", "az lock list --output table"},
	"accountisdisabled":           {agent.KindDenied, "", "az account list --output table"},
	"disallowedoperation":         {agent.KindDenied, "", "az account show"},
	"notavailableforsubscription": {agent.KindNoCapacity, "", "choose another size with -b --azure-vm-size=SIZE, or another region"},

	// Absent.
	"resourcegroupnotfound":           {agent.KindNotPrepared, "the resource group does not exist", prepareCommand},
	"resourcenotfound":                {agent.KindNotFound, "", ""},
	"notfound":                        {agent.KindNotFound, "", ""},
	"parentresourcenotfound":          {agent.KindNotFound, "", prepareCommand},
	"invalidresourcereference":        {agent.KindNotPrepared, "", prepareCommand},
	"missingsubscriptionregistration": {agent.KindNotPrepared, "", prepareCommand},
	"roledefinitiondoesnotexist":      {agent.KindNotPrepared, "the self-deallocate role does not exist", prepareCommand},
	"platformimagenotfound":           {agent.KindUsage, "", "az vm image list --publisher Debian --all --output table"},
	"imagenotfound":                   {agent.KindUsage, "", "az vm image list --publisher Debian --all --output table"},
	"invalidresourcetype":             {agent.KindInternal, "", ""},
	"invalidresourcenamespace":        {agent.KindInternal, "", ""},

	// No machine to be had. Another size or region may have one.
	"skunotavailable":                       {agent.KindNoCapacity, "", "choose another size with -b --azure-vm-size=SIZE, or another region with -b --azure-region=REGION"},
	"allocationfailed":                      {agent.KindNoCapacity, "", "choose another size with -b --azure-vm-size=SIZE, or try again later"},
	"zonalallocationfailed":                 {agent.KindNoCapacity, "", "choose another size with -b --azure-vm-size=SIZE, or try again later"},
	"overconstrainedallocationrequest":      {agent.KindNoCapacity, "", "choose another size with -b --azure-vm-size=SIZE, or another region"},
	"overconstrainedzonalallocationrequest": {agent.KindNoCapacity, "", "choose another size with -b --azure-vm-size=SIZE, or another region"},
	"azurespotisnotsupportedforthisvmsize":  {agent.KindUsage, "", "choose a D-series size with -b --azure-vm-size=SIZE"},

	// Quota: only a person can raise it.
	"quotaexceeded":                   {agent.KindQuota, "", quotaHint},
	"publicipcountlimitreached":       {agent.KindQuota, "", quotaHint},
	"staticpublicipcountlimitreached": {agent.KindQuota, "", quotaHint},
	"roleassignmentlimitexceeded":     {agent.KindQuota, "", "az role assignment list --all --output table"},

	// Somebody else is at it; most pass.
	"conflict":                                 {agent.KindConflict, "", "try again in a minute"},
	"anotheroperationinprogress":               {agent.KindConflict, "", "try again in a minute"},
	"retryableerror":                           {agent.KindConflict, "", "try again in a minute"},
	"retryableerrorduetoanotheroperation":      {agent.KindConflict, "", "try again in a minute"},
	"conflictingconcurrentwritenotallowed":     {agent.KindConflict, "", "try again in a minute"},
	"operationpreempted":                       {agent.KindConflict, "another operation on the machine took over", "mngr list"},
	"resourcegroupbeingdeleted":                {agent.KindConflict, "the resource group is being deleted", "wait until it is gone, then: " + prepareCommand},
	"propertychangenotallowed":                 {agent.KindConflict, "", ""},
	"preconditionfailed":                       {agent.KindConflict, "", "try again"},
	"nicreservedforanothervm":                  {agent.KindConflict, "Azure keeps the network interface for a failed machine for 180 seconds", "try again in three minutes"},
	"nicinuse":                                 {agent.KindConflict, "", "mngr list"},
	"publicipaddresscannotbedeleted":           {agent.KindConflict, "", "mngr list"},
	"inusesubnetcannotbedeleted":               {agent.KindConflict, "", "az network nic list --output table"},
	"inusenetworksecuritygroupcannotbedeleted": {agent.KindConflict, "", "az network nsg list --output table"},
	"roledefinitionhasassignments":             {agent.KindConflict, "the self-deallocate role is still in use", ""},
	"invalidresourcegrouplocation":             {agent.KindConflict, "", "choose another resource_group, or the region it lies in"},
	"invalidresourcelocation":                  {agent.KindConflict, "", "choose another name"},

	// Slow down.
	"toomanyrequests":               {agent.KindThrottled, "", "wait a few minutes, then try again"},
	"subscriptionrequeststhrottled": {agent.KindThrottled, "", "wait a few minutes, then try again"},
	"resourcerequeststhrottled":     {agent.KindThrottled, "", "wait a few minutes, then try again"},

	// The machine did not come up.
	"osprovisioningtimedout":    {agent.KindTimeout, "", "check the image, then try again"},
	"osprovisioningclienterror": {agent.KindInternal, "", "check the image, then try again"},

	// Wrong words.
	"invalidparameter":                    {agent.KindUsage, "", ""},
	"badrequest":                          {agent.KindUsage, "", ""},
	"locationnotavailableforresourcetype": {agent.KindUsage, "", "az account list-locations --output table"},
	"noregisteredproviderfound":           {agent.KindUsage, "", "az account list-locations --output table"},
	"securityruleinvalidaddressprefix":    {agent.KindUsage, "", "give --allowed-ssh-cidr as 203.0.113.4/32"},
}

const quotaHint = "az vm list-usage --location REGION --output table   (then ask for more in the portal)"

// kind sorts the answer. OperationNotAllowed is quota, throttling or a state that
// forbids the request: the details and the message tell.
func (e armError) kind() agent.Kind { return e.answer().kind }

func (e armError) answer() answer {
	code := strings.ToLower(e.code)
	if code == "operationnotallowed" {
		switch {
		case strings.Contains(strings.ToLower(e.message), "quota"):
			return answer{agent.KindQuota, "", quotaHint}
		case len(e.details) > 0 && strings.EqualFold(e.details[0], "TooManyRequests"):
			return answers["toomanyrequests"]
		}
		return answer{agent.KindConflict, "", "mngr list"}
	}
	if a, ok := answers[code]; ok {
		return a
	}
	switch e.status {
	case http.StatusUnauthorized:
		return answers["authenticationfailed"]
	case http.StatusForbidden:
		return answers["authorizationfailed"]
	case http.StatusNotFound:
		return answers["notfound"]
	case http.StatusConflict:
		return answers["conflict"]
	case http.StatusPreconditionFailed:
		return answers["preconditionfailed"]
	case http.StatusTooManyRequests:
		return answers["toomanyrequests"]
	case http.StatusBadRequest:
		return answers["badrequest"]
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return answer{agent.KindUnreachable, "", "try again in a minute"}
	}
	return answer{kind: agent.KindInternal}
}

// translate turns whatever the SDK returned into one line of cause and one of remedy.
// doing is what failed, as an infinitive: "deallocate the machine".
func translate(err error, doing string) error {
	if err == nil {
		return nil
	}
	if known, ok := errors.AsType[*agent.Error](err); ok {
		return fmt.Errorf("%s: %w", doing, known)
	}
	e := &agent.Error{Kind: agent.KindInternal, Cause: doing + ": " + oneLine(err.Error()), Err: err}
	if login, ok := errors.AsType[*loginError](err); ok {
		e.Kind, e.Cause, e.Hint = login.kind, login.cause, login.hint
		return e
	}
	if arm, ok := asARM(err); ok {
		a := arm.answer()
		e.Kind, e.Hint = a.kind, a.hint
		e.Cause = doing + ": " + arm.words(a)
		return e
	}
	switch {
	case errors.Is(err, context.Canceled):
		e.Kind, e.Cause = agent.KindCanceled, doing+": interrupted"
	case errors.Is(err, context.DeadlineExceeded):
		e.Kind, e.Cause = agent.KindTimeout, doing+": not done in time"
	default:
		if cause, hint, ok := networkWords(err); ok {
			e.Kind, e.Cause, e.Hint = agent.KindUnreachable, doing+": Azure does not answer: "+cause, hint
		}
	}
	return e
}

const prepareCommand = "mngr azure prepare"

// translate is the package's, with the instance's name in what it tells the user to do:
// another instance may be prepared already.
func (p *Provider) translate(err error, doing string) error {
	err = translate(err, doing)
	if e, ok := err.(*agent.Error); ok { // else it wraps one that has been translated before
		e.Hint = strings.ReplaceAll(e.Hint, prepareCommand, p.prepareCommand())
	}
	return err
}

// prepareCommand prepares this instance.
func (p *Provider) prepareCommand() string {
	if p.settings.Name == Defaults().Name {
		return prepareCommand
	}
	return prepareCommand + " --provider " + p.settings.Name
}

// words says what happened: ours where ARM's are of no use, and always ARM's code.
func (e armError) words(a answer) string {
	text := a.cause
	if text == "" {
		text = e.message
	}
	switch {
	case text == "" && e.code == "":
		return fmt.Sprintf("Azure answered %d", e.status)
	case text == "":
		return e.code
	case e.code == "":
		return text
	}
	return text + " (" + e.code + ")"
}
