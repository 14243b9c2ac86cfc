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
	anywhere         = "0.0.0.0/0"
)

// ruleSet is a security group's rules by name in lower case.
type ruleSet map[string]*armnetwork.SecurityRulePropertiesFormat

func rulesOf(g *armnetwork.SecurityGroup) ruleSet {
	rules := ruleSet{}
	if g.Properties != nil {
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

// securityGroup makes the security group and its rules. The rule between hosts is
// written last, so that its presence tells that an earlier run was finished, and that a
// rule which is missing now has been taken away on purpose.
func (w *preparation) securityGroup(ctx context.Context) error {
	group := w.p.settings.ResourceGroup
	got, err := w.s.nsgs.Get(ctx, group, w.n.nsg, nil)
	rules := rulesOf(&got.SecurityGroup)
	switch {
	case absent(err):
		if err := w.createSecurityGroup(ctx); err != nil {
			return err
		}
	case err != nil:
		return w.p.translate(err, "look at security group "+w.n.nsg)
	case !ours(got.Tags):
		return foreign("security group " + w.n.nsg)
	default:
		if err := elsewhere("security group "+w.n.nsg, text(got.Location), w.n.region); err != nil {
			return err
		}
		w.note("security group", w.n.nsg, false)
	}
	if err := w.allowRules(ctx, rules); err != nil {
		return err
	}
	if rules[denyBetweenHosts] != nil {
		w.note("security rule", denyBetweenHosts, false)
		return nil
	}
	return w.putRule(ctx, denyBetweenHosts, &armnetwork.SecurityRulePropertiesFormat{
		Priority:                 new(int32(denyPriority)),
		Direction:                new(armnetwork.SecurityRuleDirectionInbound),
		Access:                   new(armnetwork.SecurityRuleAccessDeny),
		Protocol:                 new(armnetwork.SecurityRuleProtocolAsterisk),
		SourceAddressPrefix:      new(w.p.settings.SubnetPrefix),
		SourcePortRange:          new("*"),
		DestinationAddressPrefix: new("*"),
		DestinationPortRange:     new("*"),
	})
}

func (w *preparation) createSecurityGroup(ctx context.Context) error {
	op, err := w.s.nsgs.BeginCreateOrUpdate(ctx, w.p.settings.ResourceGroup, w.n.nsg, armnetwork.SecurityGroup{
		Location: new(w.n.region), Tags: w.p.settings.ownerTags(),
	}, nil)
	err = finish(ctx, w.p, op, err)
	if err != nil {
		return w.p.translate(err, "create security group "+w.n.nsg)
	}
	w.note("security group", w.n.nsg, true)
	return nil
}

// allowRules admits the configured sources to the SSH ports, and warns of what follows.
func (w *preparation) allowRules(ctx context.Context, have ruleSet) error {
	want, existing := w.cidrs, w.admitted(have)
	if want == nil {
		want = existing
	}
	if want == nil && have[denyBetweenHosts] == nil {
		want = []string{anywhere}
	}
	for i, port := range []int{22, w.p.settings.ContainerSSHPort} {
		if err := w.allowRule(ctx, have, fmt.Sprintf("%s%d", allowPrefix, port), port, int32(allowPriority+10*i), want); err != nil {
			return err
		}
	}
	switch {
	case len(want) == 0:
		w.warn("no source may reach the SSH ports: machines cannot be reached from outside the network")
	case slices.ContainsFunc(want, func(s string) bool { return s == anywhere || s == "*" || s == "Internet" || s == "::/0" }):
		w.warn("the SSH ports are open to the whole internet (keys only, no passwords); " +
			"narrow them with: " + w.p.prepareCommand() + " --allowed-ssh-cidr ADDRESS/32")
	}
	return nil
}

// admitted are the sources of our existing allow rules; nil without one.
func (w *preparation) admitted(have ruleSet) []string {
	for _, port := range []int{22, w.p.settings.ContainerSSHPort} {
		if r := have[fmt.Sprintf("%s%d", allowPrefix, port)]; r != nil {
			return sources(r)
		}
	}
	return nil
}

// allowRule brings one rule to what is wanted. An existing rule changes only where the
// sources have been said.
func (w *preparation) allowRule(ctx context.Context, have ruleSet, name string, port int, priority int32, want []string) error {
	old := have[name]
	switch {
	case old == nil && len(want) == 0:
		return nil
	case old != nil && w.cidrs == nil, old != nil && sameSet(sources(old), want):
		w.note("security rule", name, false)
		return nil
	case len(want) == 0:
		return w.deleteRule(ctx, name)
	case old != nil && old.Priority != nil:
		priority = *old.Priority
	default:
		priority = have.free(priority)
	}
	rule := &armnetwork.SecurityRulePropertiesFormat{
		Priority:                 new(priority),
		Direction:                new(armnetwork.SecurityRuleDirectionInbound),
		Access:                   new(armnetwork.SecurityRuleAccessAllow),
		Protocol:                 new(armnetwork.SecurityRuleProtocolTCP),
		SourcePortRange:          new("*"),
		DestinationAddressPrefix: new("*"),
		DestinationPortRange:     new(fmt.Sprint(port)),
	}
	if len(want) == 1 {
		rule.SourceAddressPrefix = new(want[0])
	} else {
		for _, s := range want {
			rule.SourceAddressPrefixes = append(rule.SourceAddressPrefixes, new(s))
		}
	}
	have[name] = rule
	return w.putRule(ctx, name, rule)
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

func (w *preparation) putRule(ctx context.Context, name string, rule *armnetwork.SecurityRulePropertiesFormat) error {
	err := whileBusy(ctx, w.p, nil, func(ctx context.Context) error {
		op, err := w.s.rules.BeginCreateOrUpdate(ctx, w.p.settings.ResourceGroup, w.n.nsg, name,
			armnetwork.SecurityRule{Properties: rule}, nil)
		return finish(ctx, w.p, op, err)
	})
	if err != nil {
		return w.p.translate(err, "write security rule "+name)
	}
	w.note("security rule", name, true)
	return nil
}

func (w *preparation) deleteRule(ctx context.Context, name string) error {
	return w.p.translate(whileBusy(ctx, w.p, nil, func(ctx context.Context) error {
		op, err := w.s.rules.BeginDelete(ctx, w.p.settings.ResourceGroup, w.n.nsg, name, nil)
		return finish(ctx, w.p, op, err)
	}), "delete security rule "+name)
}

func sameSet(a, b []string) bool {
	a, b = slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b))
	return slices.Equal(slices.Compact(a), slices.Compact(b))
}
