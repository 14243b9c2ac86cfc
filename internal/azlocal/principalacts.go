package azlocal

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"mngr/internal/azlocal/fabric"
	"mngr/internal/azlocal/instance"
	"mngr/internal/azlocal/rbac"
)

// The acts on a principal that exists.
const (
	actRemove   = "remove"
	actWithdraw = "withdraw"
	actRevoke   = "revoke"
	actRotate   = "rotate"
	actExpire   = "expire"
	actDeny     = "deny"
	actUndeny   = "undeny"
)

// act says what is to be done with a principal.
type act struct {
	Roles   []string `json:"roles,omitempty"`
	Scope   string   `json:"scope,omitempty"`
	Actions []string `json:"actions,omitempty"`
}

// changePrincipal does one act on a principal.
func (s *Server) changePrincipal(r *http.Request) (any, error) {
	a, err := read[act](r)
	if err != nil {
		return nil, err
	}
	s.principals.Lock()
	defer s.principals.Unlock()
	p, err := s.inst.Principal(r.PathValue("name"))
	if err != nil {
		return nil, err
	}
	switch r.PathValue("act") {
	case actRemove:
		return nil, s.removePrincipal(p)
	case actWithdraw:
		return nil, s.withdraw(p, a)
	case actRevoke:
		// Tokens name the second of their making: those of this one are among the revoked.
		return nil, s.changeAccount(p, func(c *instance.Account) { c.ValidFrom = s.world.Now().Truncate(time.Second).Add(time.Second) })
	case actRotate:
		return nil, s.rotate(p)
	case actExpire:
		return nil, s.changeAccount(p, func(c *instance.Account) { c.SecretExpired = true })
	case actDeny, actUndeny:
		return nil, s.deny(p, a, r.PathValue("act") == actDeny)
	}
	return nil, fmt.Errorf("nothing is called %q", r.PathValue("act"))
}

// changeAccount changes what the directory knows of a principal, on disk and in memory.
func (s *Server) changeAccount(p instance.Principal, change func(*instance.Account)) error {
	account, err := s.inst.ChangeAccount(p.ObjectID, func(a *instance.Account) bool {
		change(a)
		return true
	})
	if err != nil {
		return err
	}
	app, _ := s.apps.FindObject(p.ObjectID)
	s.know(p, app.Secret, account)
	return nil
}

// rotate gives a principal another secret; the old one is good until that is stored.
func (s *Server) rotate(p instance.Principal) error {
	if err := s.inst.NewSecret(p.Dir); err != nil {
		return err
	}
	account, err := s.inst.ChangeAccount(p.ObjectID, func(a *instance.Account) bool {
		a.SecretExpired = false
		return true
	})
	if err != nil {
		return err
	}
	return s.login(p, account)
}

// removePrincipal deletes a principal. Its role assignments stay, as on Azure, where a list
// shows them as those of an unknown identity.
func (s *Server) removePrincipal(p instance.Principal) error {
	if p.Name == instance.Own {
		return errors.New("the instance's own principal stays as long as the instance; take its roles away with --role")
	}
	if err := s.inst.RemovePrincipal(p); err != nil {
		return err
	}
	s.apps.Remove(p.ClientID, s.world.Now())
	_, err := s.inst.ChangeAccount(p.ObjectID, func(*instance.Account) bool { return false })
	return err
}

// withdraw takes roles away, all or none.
func (s *Server) withdraw(p instance.Principal, a act) error {
	g := grant{Roles: a.Roles, Scope: a.Scope}
	roles, err := s.resolve(&g)
	if err != nil {
		return err
	}
	return s.world.Update(func(t *fabric.Tx) error {
		for i, role := range roles {
			if !rbac.Withdraw(t, p.ObjectID, role, g.Scope) {
				return fmt.Errorf("%s does not have the role %s at %s", p.Name, g.Roles[i], g.Scope)
			}
		}
		return nil
	})
}

// deny adds a deny assignment, or removes all of a principal's.
func (s *Server) deny(p instance.Principal, a act, add bool) error {
	scope, err := s.scope(a.Scope)
	if err != nil {
		return err
	}
	return s.world.Update(func(t *fabric.Tx) error {
		switch {
		case add && len(a.Actions) == 0:
			return errors.New("which actions are denied is not said")
		case add:
			rbac.Deny(t, p.ObjectID, scope, a.Actions)
		case rbac.Undeny(t, p.ObjectID) == 0:
			return fmt.Errorf("nothing is denied to %s", p.Name)
		}
		return nil
	})
}
