package azure_test

import (
	"cmp"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/authorization/armauthorization/v2"
	"github.com/google/uuid"

	"mngr/internal/agent"
	"mngr/internal/azure"
	"mngr/internal/azure/permission"
)

// actions are those of a part's printed role, but for what concerns roles.
func actions(part string) []string {
	p, _ := permission.Find(part)
	return p.Role(permission.Place{}, permission.Options{WithoutRoles: true}).Actions
}

// prepares are the rights to prepare and clean up, and to register nothing.
func prepares() []string {
	return slices.DeleteFunc(slices.Concat(actions(permission.Prepare), actions(permission.Cleanup)), func(a string) bool {
		return strings.HasSuffix(a, "/register/action")
	})
}

// limit takes all rights from the login but these; a restart of the local Azure gives
// them back.
func (l *localAzure) limit(scoped map[string][]string) {
	l.t.Helper()
	roles, assignments, subscription, err := l.provider().Rights(l.t.Context())
	if err != nil {
		l.t.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(l.dir, "instance.json"))
	if err != nil {
		l.t.Fatal(err)
	}
	var login struct {
		ObjectID string `json:"object_id"`
	}
	if err := json.Unmarshal(raw, &login); err != nil {
		l.t.Fatal(err)
	}
	given := map[string]bool{}
	for below, actions := range scoped {
		role, name := uuid.NewString(), uuid.NewString()
		body := armauthorization.RoleDefinition{Properties: &armauthorization.RoleDefinitionProperties{
			RoleName: new("limited-" + role), RoleType: new("CustomRole"), AssignableScopes: []*string{&subscription},
			Permissions: []*armauthorization.Permission{{Actions: pointers(actions)}}}}
		definition, err := roles.CreateOrUpdate(l.t.Context(), subscription, role, body, nil)
		if err != nil {
			l.t.Fatal(err)
		}
		_, err = assignments.Create(l.t.Context(), subscription+below, name, armauthorization.RoleAssignmentCreateParameters{
			Properties: &armauthorization.RoleAssignmentProperties{RoleDefinitionID: definition.ID, PrincipalID: &login.ObjectID}}, nil)
		if err != nil {
			l.t.Fatal(err)
		}
		given[name] = true
	}
	page, err := assignments.NewListForSubscriptionPager(nil).NextPage(l.t.Context())
	if err != nil {
		l.t.Fatal(err)
	}
	const owner = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635" // the same in all tenants; it goes last
	slices.SortFunc(page.Value, func(a, b *armauthorization.RoleAssignment) int {
		return cmp.Compare(strings.Index(*a.Properties.RoleDefinitionID, owner), strings.Index(*b.Properties.RoleDefinitionID, owner))
	})
	for _, a := range page.Value {
		if !given[*a.Name] && *a.Properties.PrincipalID == login.ObjectID {
			if _, err := assignments.DeleteByID(l.t.Context(), *a.ID, nil); err != nil {
				l.t.Fatal(err)
			}
		}
	}
}

func pointers(words []string) []*string {
	var out []*string
	for _, w := range words {
		out = append(out, new(w))
	}
	return out
}

func (l *localAzure) restart() {
	l.run("down")
	l.run("up")
}

const group = "/resourceGroups/mngr"

// Without the right to assign roles a host is made all the same, and says what it lacks.
func TestCreateWithoutTheRightToAssign(t *testing.T) {
	l := startLocal(t)
	if _, err := l.provider().Prepare(t.Context(), azure.PrepareOptions{}, nil); err != nil {
		t.Fatal(err)
	}
	l.limit(map[string][]string{group: actions(permission.Daily)})
	p := l.provider()
	c, err := p.Create(t.Context(), spec("limited"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	if ok, why := c.SelfStop(); ok || !strings.Contains(why, "Microsoft.Authorization/roleAssignments/write") {
		t.Errorf("self-stop %v: %s", ok, why)
	}
	if err := p.Destroy(t.Context(), c.Host(), nil); err != nil {
		t.Errorf("destroy: %v", err)
	}
}

// Who may not define roles prepares all else, with a warning; who may register nothing is
// told so before anything is written, unless nothing is left to register.
func TestPrepareWithFewRights(t *testing.T) {
	l := startLocal(t)
	l.limit(map[string][]string{"": prepares()})
	_, err := l.provider().Prepare(t.Context(), azure.PrepareOptions{}, nil)
	if agent.KindOf(err) != agent.KindDenied || !strings.Contains(err.Error(), "Microsoft.Compute/register/action") {
		t.Errorf("unregistered: %v", err)
	}
	l.restart()
	l.limit(map[string][]string{"": slices.Concat(prepares(), []string{"*/register/action", "Microsoft.Authorization/roleDefinitions/read"})})
	got, err := l.provider().Prepare(t.Context(), azure.PrepareOptions{}, nil)
	if err != nil || !got.Created || !slices.ContainsFunc(got.Warnings, func(w string) bool {
		return strings.Contains(w, "Microsoft.Authorization/roleDefinitions/write")
	}) {
		t.Errorf("no right to define roles: %+v, %v", got, err)
	}
	l.restart()
	l.limit(map[string][]string{"": prepares()})
	p := l.provider()
	if _, err := p.Prepare(t.Context(), azure.PrepareOptions{Region: "eastus"}, nil); err != nil {
		t.Errorf("registered: %v", err)
	}
	if done, err := p.Cleanup(t.Context(), false, nil); err != nil || !done.Deleted {
		t.Errorf("cleanup: %+v, %v", done, err)
	}
}
