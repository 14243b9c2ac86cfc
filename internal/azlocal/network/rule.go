package network

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/doc"
	"mngr/internal/azlocal/fabric"
)

// putRule writes one rule and leaves its neighbours alone.
func putRule(t *fabric.Tx, r *arm.Request) (*arm.Response, error) {
	nsg, existed, err := checkChild(t, r)
	if err != nil {
		return nil, err
	}
	if err := storeRule(t, nsg.ID, arm.Name(r.ID), r.Body.Obj("properties")); err != nil {
		return nil, err
	}
	touch(t, r.ID)
	resp := store(t, r, t.Get(r.ID), nsg.Body.Str("location"), 10, true)
	if !existed {
		resp.Status = http.StatusCreated
	}
	return resp, nil
}

// storeRule checks and writes a rule of a security group.
func storeRule(t *fabric.Tx, nsg, name string, given doc.Object) error {
	if err := checkName(TypeRule, name); err != nil {
		return err
	}
	id := t.Spell(nsg + "/securityRules/" + name)
	if err := checkRule(t, id, given); err != nil {
		return err
	}
	props := doc.Object{"provisioningState": "Updating"}
	for key, v := range given {
		if key != "provisioningState" && v != nil {
			props[key] = v
		}
	}
	for _, key := range []string{"sourcePortRanges", "destinationPortRanges", "sourceAddressPrefixes", "destinationAddressPrefixes"} {
		props.Default([]any{}, key)
	}
	t.Put(&fabric.Document{ID: id, Body: doc.Object{"name": arm.Name(id), "id": id, "type": TypeRule, "properties": props}})
	return nil
}

func checkRule(t *fabric.Tx, id string, given doc.Object) error {
	bad := func(code, format string, args ...any) error {
		return arm.Errorf(http.StatusBadRequest, code, format, args...)
	}
	name, priority, direction := arm.Name(id), given.Int("priority"), given.Str("direction")
	switch {
	case priority < 100 || priority > 4096:
		return bad("SecurityRuleInvalidPriority", "Security rule has invalid Priority. Value provided: %d. Allowed range 100-4096.", priority)
	case !oneOf(direction, "Inbound", "Outbound"):
		return bad("InvalidRequestFormat", "Security rule %s has invalid Direction. Value provided: %s.", name, direction)
	case !oneOf(given.Str("access"), "Allow", "Deny"):
		return bad("InvalidRequestFormat", "Security rule %s has invalid Access. Value provided: %s.", name, given.Str("access"))
	case !oneOf(given.Str("protocol"), "Tcp", "Udp", "Icmp", "Esp", "Ah", "*"):
		return bad("InvalidRequestFormat", "Security rule %s has invalid Protocol. Value provided: %s.", name, given.Str("protocol"))
	}
	for _, p := range slices.Concat(sourcesOf(given), destinationsOf(given)) {
		if !isAddressPrefix(p) {
			return bad("SecurityRuleInvalidAddressPrefix", "Security rule %s has invalid Address prefix. Value provided: %s", id, p)
		}
	}
	for _, p := range slices.Concat(nonEmpty(given.Strings("sourcePortRanges"), given.Str("sourcePortRange")), portsOf(given)) {
		if _, err := parsePorts(p); err != nil {
			return bad("SecurityRuleInvalidPortRange", "Security rule has invalid Port range. Value provided: %s. Value should be an integer OR integer range with '-' delimiter. Valid range 0-65535.", p)
		}
	}
	for _, other := range t.List(TypeRule, arm.Parent(id)) {
		if arm.Key(other.ID) != arm.Key(id) && !deleting(other) && other.Body.Int("properties", "priority") == priority && strings.EqualFold(other.Body.Str("properties", "direction"), direction) {
			return bad("SecurityRuleConflict", "Security rule %s conflicts with rule %s. Rules cannot have the same Priority and Direction.", name, arm.Name(other.ID))
		}
	}
	return nil
}

// isAddressPrefix tells whether Azure takes s as a source or destination: an address, a CIDR without
// host bits (azure-powershell#4557), a service tag or "*".
func isAddressPrefix(s string) bool {
	if _, tag := serviceTag(s); tag || s == "*" {
		return true
	}
	if p, err := netip.ParsePrefix(s); err == nil {
		return p.Masked() == p
	}
	_, err := netip.ParseAddr(s)
	return err == nil
}

func removeRule(t *fabric.Tx, d *fabric.Document, opt fabric.RemoveOptions) (string, error) {
	return remove(t, d, jobRemove, opt), nil
}

func oneOf(s string, allowed ...string) bool {
	for _, a := range allowed {
		if strings.EqualFold(s, a) {
			return true
		}
	}
	return false
}
