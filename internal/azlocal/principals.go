package azlocal

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/entra"
	"mngr/internal/azlocal/fabric"
	"mngr/internal/azlocal/instance"
	"mngr/internal/azlocal/rbac"
)

// grant names a principal with roles at a scope; the answer has the rest.
type grant struct {
	Name       string   `json:"name"`
	Roles      []string `json:"roles"`
	Scope      string   `json:"scope"`
	ClientID   string   `json:"client_id,omitempty"`
	ObjectID   string   `json:"object_id,omitempty"`
	SecretFile string   `json:"client_secret_file,omitempty"`
	Dir        string   `json:"dir,omitempty"`
}

// principalRow is a principal as `principal list` shows it.
type principalRow struct {
	Name          string            `json:"name"`
	ClientID      string            `json:"client_id"`
	ObjectID      string            `json:"object_id"`
	Assignments   []rbac.Assignment `json:"assignments"`
	Denied        []denial          `json:"denied"`
	SecretExpired bool              `json:"secret_expired"`
	RevokedAt     time.Time         `json:"tokens_revoked_at,omitzero"`
	SecretFile    string            `json:"client_secret_file"`
	Dir           string            `json:"dir"`
}

// denial is what a deny assignment takes away.
type denial struct {
	Actions []string `json:"actions"`
	Scope   string   `json:"scope"`
}

type principalList struct {
	Principals []principalRow `json:"principals"`
}

// loginAll lets the principals ask for tokens that exist when the server starts.
func (s *Server) loginAll() error {
	own, err := s.inst.Principal(instance.Own)
	if err != nil {
		return err
	}
	others, err := s.inst.Principals()
	accounts, accountsErr := s.inst.Accounts()
	if err := errors.Join(err, accountsErr); err != nil {
		return err
	}
	for _, p := range slices.Concat([]instance.Principal{own}, others) {
		if err := s.login(p, accounts[p.ObjectID]); err != nil {
			return err
		}
	}
	return nil
}

// login lets a principal ask for tokens with the secret that is in its file.
func (s *Server) login(p instance.Principal, account instance.Account) error {
	secret, err := p.Secret()
	if err == nil {
		s.know(p, secret, account)
		s.names.Store(p.ObjectID, p.Name)
	}
	return err
}

// know puts a principal into the directory as its account says.
func (s *Server) know(p instance.Principal, secret string, account instance.Account) {
	s.apps.Add(entra.Application{Name: p.Name, Secret: secret, SecretExpired: account.SecretExpired, Made: account.Made, ValidFrom: account.ValidFrom,
		Principal: arm.Principal{ObjectID: p.ObjectID, AppID: p.ClientID, TenantID: s.inst.Tenant}})
}

func (s *Server) listPrincipals(*http.Request) (any, error) {
	out := principalList{Principals: []principalRow{}}
	err := error(nil)
	s.world.View(func(t *fabric.Tx) {
		for _, app := range s.apps.All() {
			p, missing := s.inst.Principal(app.Name)
			err = errors.Join(err, missing)
			row := principalRow{Name: p.Name, ClientID: p.ClientID, ObjectID: p.ObjectID, SecretFile: p.SecretFile(), Dir: p.Dir,
				SecretExpired: app.SecretExpired, RevokedAt: app.ValidFrom, Assignments: rbac.Assignments(t, p.ObjectID), Denied: []denial{}}
			for _, d := range rbac.Denied(t, p.ObjectID) {
				for _, per := range d.Body.List("properties", "permissions") {
					row.Denied = append(row.Denied, denial{per.Strings("actions"), d.Body.Str("properties", "scope")})
				}
			}
			out.Principals = append(out.Principals, row)
		}
	})
	return out, err
}

// addPrincipal makes a principal, or gives one that exists more roles. Every role is
// looked up before anything is made.
func (s *Server) addPrincipal(r *http.Request) (any, error) {
	g, err := read[grant](r)
	if err != nil {
		return nil, err
	}
	roles, err := s.resolve(&g)
	if err != nil {
		return nil, err
	}
	s.principals.Lock()
	defer s.principals.Unlock()
	p, err := s.inst.AddPrincipal(g.Name)
	if err != nil {
		return nil, err
	}
	account, err := s.inst.ChangeAccount(p.ObjectID, func(a *instance.Account) bool {
		if a.Made.IsZero() && p.Name != instance.Own {
			a.Made = s.world.Now()
		}
		return true
	})
	if err == nil {
		err = s.login(p, account)
	}
	if err == nil {
		err = s.world.Update(func(t *fabric.Tx) error {
			for _, role := range roles {
				rbac.Grant(t, arm.Principal{ObjectID: p.ObjectID}, role, g.Scope)
			}
			return nil
		})
	}
	g.ClientID, g.ObjectID, g.SecretFile, g.Dir = p.ClientID, p.ObjectID, p.SecretFile(), p.Dir
	return g, err
}

// resolve turns what a user means by a scope and by roles into ids.
func (s *Server) resolve(g *grant) (roles []string, err error) {
	if g.Scope, err = s.scope(g.Scope); err != nil {
		return nil, err
	}
	s.world.View(func(t *fabric.Tx) {
		for _, name := range g.Roles {
			if role := rbac.FindRole(t, name); role != "" {
				roles = append(roles, role)
			} else {
				err = errors.Join(err, fmt.Errorf("there is no role %q", name))
			}
		}
	})
	return roles, err
}

// scope is what a user means: an id, a resource group's name, or the subscription.
func (s *Server) scope(given string) (string, error) {
	subscription := "/subscriptions/" + s.inst.Subscription
	switch {
	case given == "":
		return subscription, nil
	case !strings.Contains(given, "/"):
		return subscription + "/resourceGroups/" + given, nil
	case !arm.Within(given, subscription):
		return "", fmt.Errorf("the scope %s is not in the subscription %s", given, s.inst.Subscription)
	}
	return strings.TrimRight(given, "/"), nil
}
