package compute

import (
	"strings"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/fabric"
	"mngr/internal/azlocal/network"
)

// MachineOf is the machine that an id concerns: the machine itself or what lies below it,
// its interface, address or disk. Without one it is nil. The caller must not change it.
func MachineOf(t *fabric.Tx, id string) *fabric.Document {
	kind := strings.ToLower(arm.ParseID(id).Type())
	switch {
	case kind == strings.ToLower(TypeVM):
		return t.Peek(id)
	case strings.HasPrefix(kind, strings.ToLower(TypeVM)+"/"):
		return MachineOf(t, arm.Parent(id))
	case kind == strings.ToLower(TypeDisk):
		if d := t.Peek(id); d != nil && d.Body.Str("managedBy") != "" {
			return t.Peek(d.Body.Str("managedBy"))
		}
		return nil
	case kind == strings.ToLower(network.TypePublicIP) || kind == strings.ToLower(network.TypeInterface):
		for _, user := range t.Referrers(id) {
			if at := strings.Index(strings.ToLower(user), "/ipconfigurations/"); at > 0 {
				user = user[:at]
			}
			if d := MachineOf(t, user); d != nil {
				return d
			}
		}
	}
	return nil
}
