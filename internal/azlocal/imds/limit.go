package imds

import (
	"net/http"

	"mngr/internal/azlocal/doc"
	"mngr/internal/azlocal/fabric"
	"mngr/internal/azlocal/throttle"
)

// identityAtOnce is how many requests for the identity a machine may have under way
// (documentation: instance-metadata-service).
const identityAtOnce = 5

// admit counts a request and refuses it when the machine asks too much. leave is called
// when the request is over. No Retry-After is promised by the documentation.
func (h *Handler) admit(w http.ResponseWriter, identity bool) (leave func(), ok bool) {
	name, leave := throttle.IMDS, func() {}
	tooMany := doc.Object{"error": "Too many requests"}
	busy := false
	if identity {
		name = throttle.IMDSIdentity
		tooMany = doc.Object{"error": "too_many_requests", "error_description": "Temporarily throttled, too many requests"}
		busy = h.identities.Add(1) > identityAtOnce
		leave = func() { h.identities.Add(-1) }
	}
	settings := h.World.Settings
	enforced := settings.On(fabric.Throttling)
	_, short := h.Meter.Spend(enforced, throttle.Account{Key: name + "/" + h.Key, Limit: settings.Bucket(name)})
	if short >= 0 || enforced && busy {
		write(w, http.StatusTooManyRequests, tooMany)
		return leave, false
	}
	return leave, true
}
