package resources

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/doc"
	"mngr/internal/azlocal/fabric"
)

// findNamespace returns a provider by its name, without case.
func findNamespace(name string) (Namespace, bool) {
	for _, n := range Namespaces() {
		if strings.EqualFold(n.Name, name) {
			return n, true
		}
	}
	return Namespace{}, false
}

func providerID(t *fabric.Tx, n Namespace) string {
	return "/subscriptions/" + t.World().Subscription + "/providers/" + n.Name
}

// registration is the state of a provider. A registration under way ends by the clock:
// there is no operation to poll but the provider itself.
func registration(t *fabric.Tx, n Namespace) string {
	if n.Always {
		return "Registered"
	}
	d := t.Peek(providerID(t, n))
	if d == nil {
		return "NotRegistered"
	}
	state := d.Body.Str("state")
	since, err := time.Parse(time.RFC3339Nano, d.Body.Str("since"))
	if err != nil || t.World().Now().Sub(since) >= t.World().Settings.Time(fabric.Registration) {
		state = strings.NewReplacer("Registering", "Registered", "Unregistering", "Unregistered").Replace(state)
	}
	return state
}

// SetRegistered puts every provider that needs a registration into one state, at once.
func SetRegistered(t *fabric.Tx, registered bool) {
	for _, n := range Namespaces() {
		switch {
		case n.Always:
		case registered:
			t.Put(&fabric.Document{ID: providerID(t, n), Body: doc.Object{"state": "Registered"}})
		default:
			t.Delete(providerID(t, n))
		}
	}
}

// noRegistration refuses a provider that there is none of.
func noRegistration(_ *fabric.Tx, r *arm.Request) (*arm.Response, error) {
	return nil, unknownNamespace(r.Params["namespace"])
}

func setRegistration(n Namespace, state string) func(*fabric.Tx, *arm.Request) (*arm.Response, error) {
	return func(t *fabric.Tx, _ *arm.Request) (*arm.Response, error) {
		settled := strings.TrimSuffix(state, "ing") + "ed"
		if now := registration(t, n); !n.Always && now != settled && now != state {
			t.Put(&fabric.Document{ID: providerID(t, n), Body: doc.Object{"state": state, "since": t.World().Now().Format(time.RFC3339Nano)}})
		}
		return arm.OK(provider(t, n)), nil
	}
}

// provider is a provider as a subscription sees it.
func provider(t *fabric.Tx, n Namespace) doc.Object {
	policy := "RegistrationRequired"
	if n.Always {
		policy = "RegistrationFree"
	}
	return doc.Object{"id": providerID(t, n), "namespace": n.Name, "registrationPolicy": policy,
		"registrationState": registration(t, n), "resourceTypes": n.describe()}
}

// describe lists a provider's types, the newest api-version first as Azure does. Types that belong to
// no region have no locations.
func (n Namespace) describe() []any {
	out := []any{}
	for _, t := range n.Types {
		versions := t.Versions()
		slices.Reverse(versions)
		capabilities, locations := "None", displayNames()
		if t.Tracked {
			capabilities = "CrossResourceGroupResourceMove, CrossSubscriptionResourceMove, SupportsTags, SupportsLocation"
		}
		if n.Always {
			locations = []string{}
		}
		out = append(out, doc.Object{"resourceType": t.Name, "locations": locations, "apiVersions": versions, "capabilities": capabilities})
	}
	return out
}

func getProvider(t *fabric.Tx, r *arm.Request) (*arm.Response, error) {
	n, ok := findNamespace(r.Params["namespace"])
	if !ok {
		return nil, unknownNamespace(r.Params["namespace"])
	}
	return arm.OK(provider(t, n)), nil
}

// listTypes is "Provider Resource Types - List".
func listTypes(_ *fabric.Tx, r *arm.Request) (*arm.Response, error) {
	n, ok := findNamespace(r.Params["namespace"])
	if !ok {
		return nil, unknownNamespace(r.Params["namespace"])
	}
	return arm.OK(doc.Object{"value": n.describe()}), nil
}

// tenantProvider is a provider as seen without a subscription: there is no registration.
func tenantProvider(n Namespace) doc.Object {
	return doc.Object{"id": "/providers/" + n.Name, "namespace": n.Name, "resourceTypes": n.describe()}
}

func getTenantProvider(_ *fabric.Tx, r *arm.Request) (*arm.Response, error) {
	n, ok := findNamespace(r.Params["namespace"])
	if !ok {
		return nil, unknownNamespace(r.Params["namespace"])
	}
	return arm.OK(tenantProvider(n)), nil
}

func listTenantProviders(_ *fabric.Tx, r *arm.Request) (*arm.Response, error) {
	rows := []doc.Object{}
	for _, n := range Namespaces() {
		rows = append(rows, tenantProvider(n))
	}
	return arm.List(r, rows), nil
}

func listProviders(t *fabric.Tx, r *arm.Request) (*arm.Response, error) {
	rows := []doc.Object{}
	for _, n := range Namespaces() {
		rows = append(rows, provider(t, n))
	}
	return arm.List(r, rows), nil
}

func unknownNamespace(name string) error {
	return arm.Gatewayf(http.StatusNotFound, "InvalidResourceNamespace", "The resource namespace '%s' is invalid.", name)
}

// checkRegistered refuses writes to a provider that the subscription has not registered.
// SDK clients register it then by themselves.
func checkRegistered(t *fabric.Tx, namespace string) error {
	n, ok := findNamespace(namespace)
	if !ok {
		return unknownNamespace(namespace)
	}
	if s := registration(t, n); s == "Registered" || s == "Registering" {
		return nil
	}
	text := "The subscription is not registered to use namespace '" + n.Name + "'. See https://aka.ms/rps-not-found for how to register subscriptions."
	e := arm.Gatewayf(http.StatusConflict, "MissingSubscriptionRegistration", "%s", text)
	e.Details = []arm.Detail{{Code: e.Code, Message: text, Target: n.Name}}
	return e
}
