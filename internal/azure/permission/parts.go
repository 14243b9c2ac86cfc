package permission

// Actions that are about the rights of others.
const (
	AssignRole   = "Microsoft.Authorization/roleAssignments/write"
	UnassignRole = "Microsoft.Authorization/roleAssignments/delete"
)

const (
	authorization = "Microsoft.Authorization/"
	compute       = "Microsoft.Compute/"
	network       = "Microsoft.Network/"
	groups        = "Microsoft.Resources/subscriptions/resourceGroups/"

	nothingPrepared = "nothing is prepared, and nothing written"
	nothingCleaned  = "nothing is cleaned up, and nothing deleted"
	noSelfStop      = "a warning; machines of that subscription do not stop themselves when idle"
)

func needs(action, without string, by ...string) Permission {
	return Permission{Action: action, For: by, Without: without}
}

func (p Permission) aboutRoles() Permission     { p.roles = true; return p }
func (p Permission) only(group when) Permission { p.when = group; return p }

func prepare() []Permission {
	const by = Prepare
	unregistered := func(namespace string) Permission {
		return needs(namespace+"/register/action", "a subscription in which it is not registered is refused, with the command for somebody else", by).only(own)
	}
	return []Permission{
		needs("Microsoft.Resources/subscriptions/providers/read", "unregistered providers are found out by the first refusal", by).only(own),
		unregistered("Microsoft.Compute"), unregistered("Microsoft.Network"), unregistered("Microsoft.Storage"),
		needs(groups+"read", nothingPrepared, by),
		needs(makeGroup, nothingPrepared, by).only(own),
		needs(network+"networkSecurityGroups/read", nothingPrepared, by),
		needs(network+"networkSecurityGroups/write", "no security group, no network", by),
		needs(network+"networkSecurityGroups/join/action", "no network: its subnet names the security group", by),
		needs(network+"networkSecurityGroups/securityRules/read", "no rules, no network", by),
		needs(network+"networkSecurityGroups/securityRules/write", "no rules, no network", by),
		needs(network+"networkSecurityGroups/securityRules/delete", "`--no-ssh-ingress` cannot close what was open", by),
		needs(network+"virtualNetworks/read", nothingPrepared, by),
		needs(network+"virtualNetworks/write", "no network", by),
		needs(network+"virtualNetworks/subnets/read", "a subnet that is missing in the network cannot be added", by),
		needs(network+"virtualNetworks/subnets/write", "a subnet that is missing in the network cannot be added", by),
		needs(authorization+"roleDefinitions/read", noSelfStop, by).only(own).aboutRoles(),
		needs(makeRole, noSelfStop, by).only(own).aboutRoles(),
	}
}

func cleanup() []Permission {
	const by, roleStays = Cleanup, "a warning; the role `mngr-self-deallocate` stays"
	const partStays = "what a destroyed host left there stays, and bills"
	return []Permission{
		needs(groups+"read", nothingCleaned, by),
		needs(groups+"resources/read", nothingCleaned, by),
		needs(compute+"virtualMachines/read", nothingCleaned, by),
		needs(compute+"disks/read", nothingCleaned, by),
		needs(network+"networkInterfaces/read", nothingCleaned, by),
		needs(network+"publicIPAddresses/read", nothingCleaned, by),
		needs(groups+"delete", "the group and all in it stay", by).only(own),
		needs(network+"virtualNetworks/delete", "the network stays", by).only(existing),
		needs(network+"networkSecurityGroups/delete", "the security group stays", by).only(existing),
		needs(compute+"disks/delete", partStays, by).only(existing),
		needs(network+"networkInterfaces/delete", partStays, by).only(existing),
		needs(network+"publicIPAddresses/delete", partStays, by).only(existing),
		needs("Microsoft.Resources/subscriptions/resources/read", roleStays, by).only(own).aboutRoles(),
		needs(authorization+"roleDefinitions/read", roleStays, by).only(own).aboutRoles(),
		needs(authorization+"roleDefinitions/delete", roleStays, by).only(own).aboutRoles(),
		needs(authorization+"roleAssignments/read", roleStays, by).only(own).aboutRoles(),
		needs(UnassignRole, "the role stays where a destroyed machine's assignment is left", by).only(own).aboutRoles(),
	}
}

func daily() []Permission {
	const (
		noHost    = "no host is made"
		noHosts   = "no host is listed or found"
		noAddress = "hosts have no known address, and what is left of one is not known"
		leftover  = "where Azure leaves it behind it stays, bills, and is named"
		maybe     = "no host is made, if Azure asks for it (nobody here knows)"
		elsewise  = "no host is made where Azure does not take interface and address within the machine's request"
	)
	return []Permission{
		needs(compute+"virtualMachines/read", noHosts, "list", "cost", "create", "start", "destroy", "gc"),
		needs(compute+"virtualMachines/instanceView/read", "hosts are UNKNOWN, unless the subscription's machines may be read", "list", "cost"),
		needs(compute+"virtualMachines/write", "no host is made, nothing labelled or renamed, no stopped host starts, and who stops one cannot write it down", "create", "label", "rename", "start", "stop"),
		needs(compute+"virtualMachines/start/action", "stopped hosts stay stopped", "start"),
		needs(compute+"virtualMachines/deallocate/action", "hosts run on, and bill", "stop"),
		needs(compute+"virtualMachines/delete", "hosts stay, and bill", "destroy"),
		needs(compute+"disks/read", "what is left of a host is not known", "cost", "destroy", "gc"),
		needs(compute+"disks/write", maybe, "create"),
		needs(compute+"disks/delete", leftover, "destroy", "gc"),
		needs(network+"virtualNetworks/read", noHost, "create"),
		needs(network+"virtualNetworks/subnets/join/action", noHost, "create"),
		needs(network+"networkInterfaces/read", "what is left of a host is not known", "cost", "create", "destroy", "gc"),
		needs(network+"networkInterfaces/write", maybe, "create"),
		needs(network+"networkInterfaces/join/action", elsewise, "create"),
		needs(network+"networkInterfaces/delete", leftover, "destroy", "gc"),
		needs(network+"publicIPAddresses/read", noAddress, "list", "cost", "create", "destroy", "gc"),
		needs(network+"publicIPAddresses/write", maybe, "create"),
		needs(network+"publicIPAddresses/join/action", elsewise, "create"),
		needs(network+"publicIPAddresses/delete", leftover, "destroy", "gc"),
		needs("Microsoft.Resources/tags/read", "the tags of an agent that could not be made stay, and create says so; in a cloud whose machines have no ETag start does, too", "create", "start"),
		needs("Microsoft.Resources/tags/write", "no host is finished; in a cloud whose machines have no ETag who stops or starts one cannot write it down", "create", "stop", "start"),
		needs(authorization+"roleAssignments/read", "a warning; assignments of destroyed machines may be left, which grant and cost nothing", "gc").aboutRoles(),
		needs(AssignRole, "a warning; new machines do not stop themselves when idle", "create", "start").aboutRoles(),
		needs(UnassignRole, "a warning; the assignments of destroyed machines are left, which grant and cost nothing", "destroy", "gc").aboutRoles(),
	}
}

func lookups() []Permission {
	return []Permission{
		needs(compute+"virtualMachines/read", "a request for each host in place of one for all", "list", "cost"),
		needs(compute+"skus/read", "a size that the subscription may not use is refused by Azure only", "create"),
		needs("Microsoft.Insights/eventtypes/values/read", "an evicted host that kept its disk is shown as STOPPED", "list", "cost"),
	}
}
