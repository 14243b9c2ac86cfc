// Package firewall puts a machine's security rules into the words of nftables. Both sides
// that enforce them, the public address and the virtual network, use the same words. Only
// packages under internal/azlocal/machine import it.
package firewall

import (
	"fmt"
	"strings"

	"mngr/internal/azlocal/machine"
)

// Chain writes an nft chain that decides about a new connection by the first rule that
// matches it. What no rule speaks of is dropped, not refused: a client of Azure sees a
// timeout.
func Chain(name string, rules []machine.Rule) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\tchain %s {\n", name)
	for _, rule := range rules {
		for _, match := range matches(rule) {
			verdict := "drop"
			if rule.Allow {
				verdict = "accept"
			}
			fmt.Fprintf(&b, "\t\t%s\n", strings.TrimSpace(match+" "+verdict))
		}
	}
	b.WriteString("\t\tdrop\n\t}\n")
	return b.String()
}

// matches is the rule's cross product of sources and ports: nft refuses sets whose members
// overlap, and Azure allows them.
func matches(rule machine.Rule) []string {
	var all []string
	for _, source := range sources(rule) {
		for _, port := range ports(rule) {
			all = append(all, strings.Join(strings.Fields(source+" "+port), " "))
		}
	}
	return all
}

// sources has no member when the rule speaks of IPv6 alone, which machines do not have.
func sources(rule machine.Rule) []string {
	if len(rule.Sources) == 0 {
		return []string{""}
	}
	var all []string
	for _, prefix := range rule.Sources {
		switch {
		case !prefix.Addr().Is4():
		case prefix.Bits() == 0:
			all = append(all, "")
		default:
			all = append(all, "ip saddr "+prefix.Masked().String())
		}
	}
	return all
}

func ports(rule machine.Rule) []string {
	protocol := strings.ToLower(rule.Protocol)
	key := ""
	switch protocol {
	case "tcp", "udp":
		key = protocol + " dport"
	case "*", "":
		key = "meta l4proto { tcp, udp } th dport"
	}
	if len(rule.Ports) == 0 || key == "" {
		if protocol == "*" || protocol == "" {
			return []string{""}
		}
		return []string{"meta l4proto " + protocol}
	}
	var all []string
	for _, r := range rule.Ports {
		switch {
		case r.First == r.Last:
			all = append(all, fmt.Sprintf("%s %d", key, r.First))
		default:
			all = append(all, fmt.Sprintf("%s %d-%d", key, r.First, r.Last))
		}
	}
	return all
}
