package resources

import (
	"net/http"
	"strings"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/doc"
	"mngr/internal/azlocal/fabric"
)

func subscription(t *fabric.Tx) doc.Object {
	w := t.World()
	return doc.Object{
		"id": "/subscriptions/" + w.Subscription, "authorizationSource": "RoleBased", "managedByTenants": []any{},
		"subscriptionId": w.Subscription, "tenantId": w.Tenant, "displayName": "Local Azure", "state": "Enabled",
		"subscriptionPolicies": doc.Object{"locationPlacementId": "Public_2014-09-01", "quotaId": "PayAsYouGo_2014-09-01", "spendingLimit": "Off"},
	}
}

func listSubscriptions(can fabric.Can, below fabric.Can) func(*fabric.Tx, *arm.Request) (*arm.Response, error) {
	return func(t *fabric.Tx, r *arm.Request) (*arm.Response, error) {
		rows := []doc.Object{}
		scope := "/subscriptions/" + t.World().Subscription
		const read = "Microsoft.Resources/subscriptions/read"
		if can(t, r.Principal, read, scope) || below(t, r.Principal, "*/read", scope) {
			rows = append(rows, subscription(t))
		}
		return arm.OK(doc.Object{"value": rows, "count": doc.Object{"type": "Total", "value": len(rows)}}), nil
	}
}

func getSubscription(t *fabric.Tx, _ *arm.Request) (*arm.Response, error) {
	return arm.OK(subscription(t)), nil
}

func listTenants(t *fabric.Tx, _ *arm.Request) (*arm.Response, error) {
	id := t.World().Tenant
	return arm.OK(doc.Object{"value": []doc.Object{{
		"id": "/tenants/" + id, "tenantId": id, "countryCode": "US", "displayName": "Local Azure",
		"domains": []any{"local.onmicrosoft.com"}, "tenantCategory": "Home", "defaultDomain": "local.onmicrosoft.com", "tenantType": "AAD",
	}}}), nil
}

func listLocations(t *fabric.Tx, r *arm.Request) (*arm.Response, error) {
	rows := []doc.Object{}
	prefix := "/subscriptions/" + r.Params["sub"] + "/locations/"
	for _, reg := range Regions() {
		rows = append(rows, doc.Object{
			"id": prefix + reg.Name, "name": reg.Name, "type": "Region", "displayName": reg.DisplayName,
			"regionalDisplayName": "(" + reg.Geography + ") " + reg.DisplayName,
			"metadata": doc.Object{"regionType": "Physical", "regionCategory": "Recommended", "geography": reg.Geography, "geographyGroup": reg.Geography,
				"longitude": "0", "latitude": "0", "physicalLocation": reg.DisplayName,
				"pairedRegion": []any{doc.Object{"name": reg.Paired, "id": prefix + reg.Paired}}},
		})
	}
	return arm.OK(doc.Object{"value": rows}), nil
}

// checkSubscription refuses ids that are none and subscriptions that are not ours.
func checkSubscription(t *fabric.Tx, id string) error {
	if len(id) != 36 || strings.Count(id, "-") != 4 {
		return arm.Gatewayf(http.StatusBadRequest, "InvalidSubscriptionId",
			"The provided subscription identifier '%s' is malformed or invalid.", id)
	}
	if !strings.EqualFold(id, t.World().Subscription) {
		return arm.Gatewayf(http.StatusNotFound, "SubscriptionNotFound", "The subscription '%s' could not be found.", id)
	}
	return nil
}
