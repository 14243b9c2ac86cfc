package graph

import (
	"net/http"
	"regexp"
	"strings"

	"mngr/internal/azlocal/compute"
	"mngr/internal/azlocal/doc"
	"mngr/internal/azlocal/fabric"
)

// principals are the service principals of the tenant, those of machines' identities last.
func (h *Handler) principals() []doc.Object {
	var out []doc.Object
	for _, app := range h.Issuer.Apps.All() {
		p := principal(app.Principal.ObjectID, app.Principal.AppID, app.Name, "Application")
		p["createdDateTime"] = timestamp(app.Made)
		out = append(out, p)
	}
	h.World.View(func(t *fabric.Tx) {
		for _, vm := range t.List(compute.TypeVM, "") {
			if id, ok := compute.Principal(vm); ok {
				p := principal(id.ObjectID, id.AppID, vm.Body.Str("name"), "ManagedIdentity")
				p["alternativeNames"] = []any{"isExplicit=False", vm.ID}
				out = append(out, p)
			}
		}
	})
	return out
}

func principal(id, appID, name, kind string) doc.Object {
	return doc.Object{
		"id": id, "appId": appID, "displayName": name, "appDisplayName": name, "servicePrincipalType": kind, "accountEnabled": true,
		"servicePrincipalNames": []any{appID}, "alternativeNames": []any{}, "tags": []any{}, "signInAudience": "AzureADMyOrg",
	}
}

// clause is one comparison of a filter: "appId eq 'x'", "startswith(displayName,'x')" or
// "servicePrincipalNames/any(c:c eq 'x')".
var clause = regexp.MustCompile(`(?i)^\s*(?:(appId|displayName|id)\s+eq\s+'((?:[^']|'')*)'|startswith\(\s*(displayName)\s*,\s*'((?:[^']|'')*)'\s*\)|(servicePrincipalNames)/any\(\s*(\w+)\s*:\s*(\w+)\s+eq\s+'((?:[^']|'')*)'\s*\))\s*$`)

var conjunction = regexp.MustCompile(`(?i)\s+and\s+`)

// parseFilter reads the filters that command lines send, and refuses others.
func parseFilter(text string) (func(doc.Object) bool, error) {
	var tests []func(doc.Object) bool
	for _, part := range conjunction.Split(text, -1) {
		if strings.TrimSpace(part) == "" {
			continue
		}
		m := clause.FindStringSubmatch(part)
		if m == nil {
			return nil, &problem{http.StatusBadRequest, "Request_UnsupportedQuery", "Unsupported or invalid query filter clause specified."}
		}
		value := strings.ReplaceAll(m[2]+m[4]+m[8], "''", "'")
		switch {
		case m[3] != "":
			tests = append(tests, func(p doc.Object) bool {
				return strings.HasPrefix(strings.ToLower(p.Str("displayName")), strings.ToLower(value))
			})
		case m[5] != "":
			tests = append(tests, func(p doc.Object) bool { return strings.EqualFold(p.Str("appId"), value) })
		default:
			key := map[string]string{"appid": "appId", "displayname": "displayName", "id": "id"}[strings.ToLower(m[1])]
			tests = append(tests, func(p doc.Object) bool { return strings.EqualFold(p.Str(key), value) })
		}
	}
	return func(p doc.Object) bool {
		for _, ok := range tests {
			if !ok(p) {
				return false
			}
		}
		return true
	}, nil
}
