package entra

import (
	"crypto/subtle"
	"slices"
	"strings"
	"sync"
	"time"

	"mngr/internal/azlocal/arm"
)

// Application is a service principal that may ask for tokens.
type Application struct {
	Principal     arm.Principal
	Name          string
	Secret        string
	SecretExpired bool
	Made          time.Time
	// ValidFrom is when its tokens were last revoked: older ones are refused. Zero: never.
	ValidFrom time.Time
}

// accepts compares a secret without telling by its time how much of it is right.
func (a Application) accepts(secret string) bool {
	return subtle.ConstantTimeCompare([]byte(a.Secret), []byte(secret)) == 1
}

// Directory holds the applications of a tenant. It is safe for concurrent use.
type Directory struct {
	mu      sync.RWMutex
	apps    []Application
	removed []Application // without a secret: their tokens are revoked
}

// Add puts an application in, or replaces the one with its client id.
func (d *Directory) Add(app Application) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.apps = slices.DeleteFunc(d.apps, func(a Application) bool { return same(a, app) })
	d.apps = append(d.apps, app)
}

// Remove takes an application out at a time; its tokens count as revoked.
func (d *Directory) Remove(clientID string, at time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.apps = slices.DeleteFunc(d.apps, func(a Application) bool {
		if !strings.EqualFold(a.Principal.AppID, clientID) {
			return false
		}
		a.Secret, a.ValidFrom = "", at.Add(time.Second)
		d.removed = append(d.removed, a)
		return true
	})
}

// Find returns the application with a client id.
func (d *Directory) Find(clientID string) (app Application, ok bool) {
	return d.find(func(a Application) bool { return strings.EqualFold(a.Principal.AppID, clientID) })
}

// FindObject returns the application with an object id.
func (d *Directory) FindObject(objectID string) (app Application, ok bool) {
	return d.find(func(a Application) bool { return strings.EqualFold(a.Principal.ObjectID, objectID) })
}

// All lists the applications in the order they came in.
func (d *Directory) All() []Application {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return slices.Clone(d.apps)
}

// Since is when an application was made.
func (d *Directory) Since(objectID string) (made time.Time, ok bool) {
	app, ok := d.FindObject(objectID)
	return app.Made, ok
}

// validFrom is when a principal's tokens were last revoked, zero for never.
func (d *Directory) validFrom(objectID string) time.Time {
	d.mu.RLock()
	defer d.mu.RUnlock()
	for _, a := range slices.Concat(d.apps, d.removed) {
		if strings.EqualFold(a.Principal.ObjectID, objectID) {
			return a.ValidFrom
		}
	}
	return time.Time{}
}

func (d *Directory) find(is func(Application) bool) (app Application, ok bool) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if i := slices.IndexFunc(d.apps, is); i >= 0 {
		return d.apps[i], true
	}
	return Application{}, false
}

func same(a, b Application) bool { return strings.EqualFold(a.Principal.AppID, b.Principal.AppID) }
