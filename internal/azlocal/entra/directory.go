package entra

import (
	"slices"
	"strings"
	"sync"

	"mngr/internal/azlocal/arm"
)

// Application is a service principal that may ask for tokens.
type Application struct {
	Principal arm.Principal
	Secret    string
}

// Directory holds the applications of a tenant. It is safe for concurrent use.
type Directory struct {
	mu   sync.RWMutex
	apps []Application
}

// Add puts an application in, or replaces the one with its client id.
func (d *Directory) Add(app Application) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.apps = slices.DeleteFunc(d.apps, func(a Application) bool { return strings.EqualFold(a.Principal.AppID, app.Principal.AppID) })
	d.apps = append(d.apps, app)
}

// Find returns the application with a client id.
func (d *Directory) Find(clientID string) (app Application, ok bool) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	for _, a := range d.apps {
		if strings.EqualFold(a.Principal.AppID, clientID) {
			return a, true
		}
	}
	return Application{}, false
}
