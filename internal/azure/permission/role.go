package permission

import (
	"cmp"
	"strings"
)

// NoSubscription stands in scopes where no subscription is known.
const NoSubscription = "SUBSCRIPTION-ID"

// Place is where a role can be given.
type Place struct {
	Subscription  string // id; "" for NoSubscription
	ResourceGroup string
}

// Role is a role definition as az and PowerShell take it.
type Role struct {
	Name             string   `json:"Name"`
	IsCustom         bool     `json:"IsCustom"`
	Description      string   `json:"Description"`
	Actions          []string `json:"Actions"`
	NotActions       []string `json:"NotActions"`
	DataActions      []string `json:"DataActions"`
	NotDataActions   []string `json:"NotDataActions"`
	AssignableScopes []string `json:"AssignableScopes"`
}

// Role is the least role with which a part can be done at a place.
func (p Part) Role(at Place, o Options) Role {
	return Role{
		Name: p.roleName(at, o), IsCustom: true,
		Description: "The least that lets somebody do this with mngr: " + p.Work(o) + ".",
		Actions:     p.needed(o), NotActions: []string{}, DataActions: []string{}, NotDataActions: []string{},
		AssignableScopes: []string{p.scope(at, o)},
	}
}

// roleName is unique in a tenant, as Azure demands of the names of roles.
func (p Part) roleName(at Place, o Options) string {
	words := []string{"mngr", p.Name}
	if p.atGroup(o) {
		words = append(words, at.ResourceGroup)
	}
	if o.WithoutRoles {
		words = append(words, "without-roles")
	}
	id := cmp.Or(at.Subscription, NoSubscription)
	return strings.Join(append(words, id[:min(8, len(id))]), "-")
}

func (p Part) atGroup(o Options) bool { return p.AtGroup || o.UseExistingGroup && p.Name != Lookups }

func (p Part) scope(at Place, o Options) string {
	scope := "/subscriptions/" + cmp.Or(at.Subscription, NoSubscription)
	if p.atGroup(o) {
		scope += "/resourceGroups/" + at.ResourceGroup
	}
	return scope
}

// Portal is a role definition as the Azure portal takes it ("Start from JSON").
type Portal struct {
	Properties PortalProperties `json:"properties"`
}

// PortalProperties are what a file for the portal says of a role.
type PortalProperties struct {
	RoleName         string             `json:"roleName"`
	Description      string             `json:"description"`
	AssignableScopes []string           `json:"assignableScopes"`
	Permissions      []PortalPermission `json:"permissions"`
}

// PortalPermission is what a role in a file for the portal allows.
type PortalPermission struct {
	Actions        []string `json:"actions"`
	NotActions     []string `json:"notActions"`
	DataActions    []string `json:"dataActions"`
	NotDataActions []string `json:"notDataActions"`
}

// Portal is the same role in the portal's form.
func (r Role) Portal() Portal {
	return Portal{PortalProperties{r.Name, r.Description, r.AssignableScopes,
		[]PortalPermission{{r.Actions, r.NotActions, r.DataActions, r.NotDataActions}}}}
}
