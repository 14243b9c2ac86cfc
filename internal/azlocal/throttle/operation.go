package throttle

import (
	"net/http"
	"strings"
)

// Compute names the limit that a request below Microsoft.Compute spends (documentation:
// compute-throttling-limits). rest is the path behind the namespace. "" is none that is
// known. perVM tells that the machine's own limit counts it too.
func Compute(method string, rest []string) (policy string, perVM bool) {
	if len(rest) == 0 {
		return "", false
	}
	kind := strings.ToLower(rest[0])
	get := method == http.MethodGet || method == http.MethodHead
	if kind == "locations" && len(rest) > 2 && get {
		switch strings.ToLower(rest[2]) {
		case "operations":
			return GetOperation, true
		case "virtualmachines":
			return HighCostGet, false
		}
	}
	if kind != "virtualmachines" {
		return "", false
	}
	verb := ""
	if len(rest) > 2 {
		verb = strings.ToLower(rest[2])
	}
	switch {
	case get && len(rest) == 1:
		return HighCostGet, false
	case get:
		return LowCostGet, true
	case method == http.MethodDelete && verb == "", verb == "deallocate", verb == "simulateeviction":
		return DeleteVM, true
	case verb == "":
		return PutVM, true
	}
	return UpdateVM, true
}
