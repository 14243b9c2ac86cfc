package resources

import (
	"net/http"
	"strings"

	"github.com/google/uuid"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/doc"
	"mngr/internal/azlocal/fabric"
)

func subscription(t *fabric.Tx) doc.Object {
	w := t.World()
	out := doc.Object{
		"id": "/subscriptions/" + w.Subscription, "authorizationSource": "RoleBased", "managedByTenants": []any{},
		"subscriptionId": w.Subscription, "tenantId": w.Tenant, "displayName": "Local Azure", "state": "Enabled",
		"subscriptionPolicies": doc.Object{"locationPlacementId": "Public_2014-09-01", "quotaId": "PayAsYouGo_2014-09-01", "spendingLimit": "Off"},
	}
	if d := t.Peek("/subscriptions/" + w.Subscription); d != nil && len(d.Tags()) > 0 {
		out["tags"] = d.Body["tags"]
	}
	return out
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

// listLocations tells of the regions; zones since the api-version that shows them.
func listLocations(t *fabric.Tx, r *arm.Request) (*arm.Response, error) {
	rows := []doc.Object{}
	prefix := "/subscriptions/" + t.World().Subscription + "/locations/"
	for _, reg := range Regions() {
		row := doc.Object{
			"id": prefix + reg.Name, "name": reg.Name, "type": "Region", "displayName": reg.DisplayName,
			"regionalDisplayName": "(" + reg.Group + ") " + reg.DisplayName,
			"metadata": doc.Object{"regionType": "Physical", "regionCategory": "Recommended", "geography": reg.Geography, "geographyGroup": reg.Group,
				"longitude": reg.Longitude, "latitude": reg.Latitude, "physicalLocation": reg.Place,
				"pairedRegion": []any{doc.Object{"name": reg.Paired, "id": prefix + reg.Paired}}},
		}
		if zones := Zones(reg.Name); r.APIVersion >= "2022-12-01" && len(zones) > 0 {
			mappings := []any{}
			for _, zone := range zones {
				mappings = append(mappings, doc.Object{"logicalZone": zone, "physicalZone": reg.Name + "-az" + zone})
			}
			row["availabilityZoneMappings"] = mappings
		}
		rows = append(rows, row)
	}
	return arm.OK(doc.Object{"value": rows}), nil
}

// Zones are the availability zones of a region (documentation: availability-zones-overview).
func Zones(location string) []string {
	if location == "westus" {
		return nil
	}
	return []string{"1", "2", "3"}
}

// checkSubscription refuses ids that are none and subscriptions that are not ours.
func checkSubscription(t *fabric.Tx, id string) error {
	if uuid.Validate(id) != nil {
		return arm.Gatewayf(http.StatusBadRequest, "InvalidSubscriptionId",
			"The provided subscription identifier '%s' is malformed or invalid.", id)
	}
	if !strings.EqualFold(id, t.World().Subscription) {
		return arm.Gatewayf(http.StatusNotFound, "SubscriptionNotFound", "The subscription '%s' could not be found.", id)
	}
	return nil
}
