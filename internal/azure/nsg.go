package azure

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"
)

// Security rules. They are written one by one, because a PUT of their group would drop
// the rules that somebody else has added to it.
const (
	denyBetweenHosts = "mngr-deny-between-hosts" // keeps an agent from the neighbours' machines
	denyPriority     = 900
	allowPrefix      = "mngr-allow-tcp-"
	allowPriority    = 1000 // and up, in steps of ten

	kindSecurityGroup = "security group"
	kindRule          = "security rule"
)

// ruleSet is a security group's rules by name in lower case.
type ruleSet map[string]*armnetwork.SecurityRulePropertiesFormat

func rulesOf(g *armnetwork.SecurityGroup) ruleSet {
	rules := ruleSet{}
	if g != nil && g.Properties != nil {
		for _, r := range g.Properties.SecurityRules {
			if r != nil && r.Properties != nil {
				rules[strings.ToLower(text(r.Name))] = r.Properties
			}
		}
	}
	return rules
}

// sources are who a rule admits.
func sources(r *armnetwork.SecurityRulePropertiesFormat) []string {
	var out []string
	for _, s := range r.SourceAddressPrefixes {
		out = append(out, text(s))
	}
	if one := text(r.SourceAddressPrefix); one != "" && len(out) == 0 {
		out = append(out, one)
	}
	return out
}

// planSecurity makes the security group and its rules. The rule between hosts is written
// last, so that its presence tells that an earlier run was finished, and that a rule
// which is missing now has been taken away on purpose.
func (w *preparation) planSecurity(found survey) error {
	if found.nsg == nil {
		w.add(step{
			part: Part{Kind: kindSecurityGroup, Name: w.n.nsg, Action: Create},
			there: func(ctx context.Context) error {
				_, err := w.s.nsgs.Get(ctx, w.p.settings.ResourceGroup, w.n.nsg, nil)
				return err
			},
			do: w.createSecurityGroup,
		})
	} else if err := w.keepOurs(kindSecurityGroup, w.n.nsg, found.nsg.Tags, found.nsg.Location); err != nil {
		return err
	}
	rules := rulesOf(found.nsg)
	w.planAllow(rules, rulesOf(found.home))
	w.planDeny(rules, found.subnetPrefix(w.n.subnet, w.p.settings.SubnetPrefix))
	return nil
}

func (w *preparation) createSecurityGroup(ctx context.Context) error {
	op, err := w.s.nsgs.BeginCreateOrUpdate(ctx, w.p.settings.ResourceGroup, w.n.nsg, armnetwork.SecurityGroup{
		Location: new(w.n.region), Tags: w.p.settings.ownerTags(),
	}, nil)
	return finish(ctx, w.p, op, err)
}

func (w *preparation) sshPorts() []int { return []int{22, w.p.settings.ContainerSSHPort} }

func allowName(port int) string { return fmt.Sprintf("%s%d", allowPrefix, port) }

// planAllow admits the configured sources to the SSH ports, and warns of what follows.
// Where nothing has been said, rules stay as they are, and a new region's network admits
// who may reach the instance's own region.
func (w *preparation) planAllow(have, home ruleSet) {
	want := w.cidrs
	if want == nil {
		want = w.admitted(have)
	}
	if finished := have[denyBetweenHosts] != nil; want == nil && !finished {
		want = w.admitted(home)
		if want == nil && home[denyBetweenHosts] == nil {
			want = []string{anywhere}
		}
	}
	for i, port := range w.sshPorts() {
		w.planPort(have, port, int32(allowPriority+10*i), want)
	}
	switch {
	case len(want) == 0:
		w.warn("no source may reach the SSH ports: machines cannot be reached from outside the network")
	case open(want):
		w.warn("the SSH ports are open to the whole internet (keys only, no passwords); " +
			"narrow them with: " + w.again("--allowed-ssh-cidr me"))
	}
}

// again is the command that prepares this very region with other flags.
func (w *preparation) again(flags string) string {
	command := w.p.prepareCommand()
	if w.n.region != normalRegion(w.p.settings.Region) {
		command += " --region " + w.n.region
	}
	return command + " " + flags
}

// admitted are the sources of our existing allow rules; nil without one.
func (w *preparation) admitted(have ruleSet) []string {
	for _, port := range w.sshPorts() {
		if r := have[allowName(port)]; r != nil {
			return sources(r)
		}
	}
	return nil
}

// planPort brings one port's rule to what is wanted. An existing rule changes only where
// the sources have been said.
func (w *preparation) planPort(have ruleSet, port int, priority int32, want []string) {
	name := allowName(port)
	old := have[name]
	switch {
	case old == nil && len(want) == 0:
	case old == nil:
		w.putRule(Part{Name: name, Action: Create, After: join(want)}, have, allowRule(port, have.free(priority), want))
	case w.cidrs == nil || sameSources(sources(old), want):
		w.keep(kindRule, name)
	case len(want) == 0:
		w.add(step{
			part: Part{Kind: kindRule, Name: name, Action: Delete, Before: join(sources(old))},
			do: func(ctx context.Context) error {
				op, err := w.s.rules.BeginDelete(ctx, w.p.settings.ResourceGroup, w.n.nsg, name, nil)
				return finish(ctx, w.p, op, err)
			},
		})
	default:
		if old.Priority != nil {
			priority = *old.Priority
		}
		w.putRule(Part{Name: name, Action: Change, Before: join(sources(old)), After: join(want)}, have, allowRule(port, priority, want))
	}
}

func join(sources []string) string { return strings.Join(sources, ", ") }

func allowRule(port int, priority int32, from []string) *armnetwork.SecurityRulePropertiesFormat {
	rule := &armnetwork.SecurityRulePropertiesFormat{
		Priority:                 new(priority),
		Direction:                new(armnetwork.SecurityRuleDirectionInbound),
		Access:                   new(armnetwork.SecurityRuleAccessAllow),
		Protocol:                 new(armnetwork.SecurityRuleProtocolTCP),
		SourcePortRange:          new("*"),
		DestinationAddressPrefix: new("*"),
		DestinationPortRange:     new(fmt.Sprint(port)),
	}
	if len(from) == 1 {
		rule.SourceAddressPrefix = new(from[0])
		return rule
	}
	for _, s := range from {
		rule.SourceAddressPrefixes = append(rule.SourceAddressPrefixes, new(s))
	}
	return rule
}

// planDeny keeps the subnet's machines apart. A rule that somebody has changed stays.
func (w *preparation) planDeny(have ruleSet, prefix string) {
	old := have[denyBetweenHosts]
	if old == nil {
		w.putRule(Part{Name: denyBetweenHosts, Action: Create, After: prefix}, have, &armnetwork.SecurityRulePropertiesFormat{
			Priority:                 new(have.free(denyPriority)),
			Direction:                new(armnetwork.SecurityRuleDirectionInbound),
			Access:                   new(armnetwork.SecurityRuleAccessDeny),
			Protocol:                 new(armnetwork.SecurityRuleProtocolAsterisk),
			SourceAddressPrefix:      new(prefix),
			SourcePortRange:          new("*"),
			DestinationAddressPrefix: new("*"),
			DestinationPortRange:     new("*"),
		})
		return
	}
	w.keep(kindRule, denyBetweenHosts)
	if !slices.Contains(canonical(sources(old)), canonical([]string{prefix})[0]) {
		w.warn(fmt.Sprintf("the rule %s keeps out %s, and the subnet is %s: hosts can reach each other; mend it with: "+
			"az network nsg rule update --subscription %s -g %s --nsg-name %s -n %s --source-address-prefixes %s",
			denyBetweenHosts, join(sources(old)), prefix, w.s.subscription, w.p.settings.ResourceGroup, w.n.nsg, denyBetweenHosts, prefix))
	}
}

// free is the first priority from p on that no inbound rule has.
func (have ruleSet) free(p int32) int32 {
	for {
		taken := false
		for _, r := range have {
			inbound := r.Direction == nil || *r.Direction == armnetwork.SecurityRuleDirectionInbound
			taken = taken || inbound && r.Priority != nil && *r.Priority == p
		}
		if !taken {
			return p
		}
		p += 10
	}
}

// putRule plans to write a rule, whose priority no later one may take.
func (w *preparation) putRule(part Part, have ruleSet, rule *armnetwork.SecurityRulePropertiesFormat) {
	part.Kind = kindRule
	have[part.Name] = rule
	w.add(step{part: part, do: func(ctx context.Context) error {
		op, err := w.s.rules.BeginCreateOrUpdate(ctx, w.p.settings.ResourceGroup, w.n.nsg, part.Name,
			armnetwork.SecurityRule{Properties: rule}, nil)
		return finish(ctx, w.p, op, err)
	}})
}
