package azure

import (
	"strings"

	"mngr/internal/agent"
)

// answer is what an ARM code means to a user. Words in capitals are filled in by
// scene.fill; a cause that cannot be filled gives way to the first sentence of ARM's
// message, and a remedy that cannot be to the next of those that || separates. A remedy
// is a line for a shell: commands, and what they are for after a #.
type answer struct {
	code  string // as Azure writes it; /VARIANT where one code means several things
	kind  agent.Kind
	cause string // "" for ARM's own first sentence
	hint  string
}

// Remedies of more than one code.
const (
	tryCapacity = "FALLBACK # or fallback_regions; what is in use: az vm list-usage --location REGION --output table;" +
		" what the subscription may use: PORTAL (Subscriptions > Usage + quotas)"
	tryQuota = "az vm list-usage --location REGION --output table # then ask for more: PORTAL (Subscriptions > Usage + quotas)," +
		" or take -b --azure-vm-size=, -b --azure-region= (fallback_vm_sizes and fallback_regions help with capacity only)"
	tryIPQuota = "az network list-usages --location REGION --output table # then ask for more: PORTAL (Subscriptions > Usage + quotas)," +
		" or take another region with -b --azure-region= (fallback_regions helps with capacity only)"
	tryAgain    = "mngr list # then repeat the command"
	trySoon     = "try again in a minute, and check the network if it stays so"
	tryLater    = "sleep WAIT # then repeat the command || sleep 60 # then repeat the command"
	tryPrepare  = "PREPARE"
	tryLogin    = "LOGIN"
	tryVersion  = "mngr version # a defect of mngr or a cloud that is too old: report it with the code"
	tryAccount  = "az account list --output table"
	tryRole     = "az role assignment create --assignee OBJECT --role Contributor --scope /subscriptions/SUBSCRIPTION/resourceGroups/GROUP # by an owner || az role assignment list --all --output table # an owner gives Contributor on the resource group"
	tryAccess   = "az role assignment create --assignee OBJECT --role 'User Access Administrator' --scope /subscriptions/SUBSCRIPTION/resourceGroups/GROUP # by an owner || az role assignment list --all --output table # an owner gives User Access Administrator on the resource group"
	tryNetwork  = "az role assignment create --assignee OBJECT --role 'Network Contributor' --scope /subscriptions/SUBSCRIPTION/resourceGroups/GROUP # by an owner || az role assignment list --all --output table # an owner gives Network Contributor on the resource group"
	tryDenial   = "az rest --url '/subscriptions/SUBSCRIPTION/providers/Microsoft.Authorization/denyAssignments?api-version=2022-04-01' # whose application made it"
	tryPolicy   = "az policy assignment list --resource-group GROUP --disable-scope-strict-match --output table"
	tryLock     = "az lock list --resource-group GROUP --output table"
	trySizes    = "az vm list-skus --location REGION --resource-type virtualMachines --size SIZE --output table || az vm list-skus --location REGION --resource-type virtualMachines --output table"
	trySpot     = "az vm list-skus --location REGION --resource-type virtualMachines --query \"[?capabilities[?name=='LowPriorityCapable' && value=='True']].name\" --output tsv"
	tryImages   = "az vm image list --location REGION --publisher Debian --all --output table"
	tryRegions  = "az account list-locations --query [].name --output tsv"
	trySettings = "mngr config list # shows every setting of provider PROVIDER"
	tryPrice    = "mngr config set providers.PROVIDER.spot_max_price -- -1 # any price up to the usual one; else a higher limit, another size, or another region"
	tryInside   = "az group show --name GROUP --output table # shows whether Azure answers; then repeat the command"
	tryInUse    = "az network nic list --resource-group GROUP --query \"[].{name:name,machine:virtualMachine.id}\" --output table"
	tryRoles    = "az role assignment list --all --role mngr-self-deallocate --output table"
)

// catalogue is the one table of ARM's codes. Sources: Microsoft's pages on common
// deployment errors, allocation failures, Spot errors, role assignments, throttling of
// Compute and of Resource Manager, and the network provider's messages.
var catalogue = []answer{
	// Nobody, or somebody else.
	{"AuthenticationFailed", agent.KindCredentials, "Azure refused the login", tryLogin},
	{"InvalidAuthenticationToken", agent.KindCredentials, "Azure refused the login's token", tryLogin},
	{"ExpiredAuthenticationToken", agent.KindCredentials, "the login has expired, or this machine's clock is wrong", tryLogin},
	{"InvalidAuthenticationTokenTenant", agent.KindCredentials, "the login belongs to another tenant than subscription SUBSCRIPTION", "az login --tenant TENANT || az login --tenant \"$(az account show --subscription SUBSCRIPTION --query tenantId --output tsv)\" || " + tryAccount},
	{"SubscriptionNotFound", agent.KindCredentials, "the login sees no subscription SUBSCRIPTION", tryAccount},
	{"InvalidSubscriptionId", agent.KindUsage, "the subscription's id is no GUID", tryAccount},
	{"ReadOnlyDisabledSubscription", agent.KindDenied, "subscription SUBSCRIPTION is disabled: nothing in it can be changed", tryAccount},
	{"AccountIsDisabled", agent.KindDenied, "the account is disabled", tryAccount},
	{"DisallowedOperation", agent.KindDenied, "the subscription's offer does not allow this", "az account show --output table"},

	// Not allowed.
	{"AuthorizationFailed", agent.KindDenied, "the login lacks ACTION", tryRole},
	{"AuthorizationFailed/roles", agent.KindDenied, "the login lacks ACTION", tryAccess},
	{"LinkedAuthorizationFailed", agent.KindDenied, "the login lacks ACTION on SCOPE", tryNetwork},
	{"DenyAssignmentAuthorizationFailed", agent.KindDenied, "a deny assignment keeps the login from ACTION", tryDenial},
	{"RequestDisallowedByPolicy", agent.KindDenied, "the policy POLICY of the subscription forbids it", tryPolicy},
	{"ScopeLocked", agent.KindDenied, "a lock on SCOPE forbids it", tryLock},

	// Absent.
	{"ResourceGroupNotFound", agent.KindNotPrepared, "resource group GROUP does not exist", tryPrepare},
	{"ResourceNotFound", agent.KindNotFound, "", "mngr list"},
	{"NotFound", agent.KindNotFound, "", "mngr list"},
	{"ParentResourceNotFound", agent.KindNotFound, "what it belongs to does not exist", tryPrepare},
	{"InvalidResourceReference", agent.KindNotPrepared, "a resource it needs does not exist, or is in another region", tryPrepare},
	{"MissingSubscriptionRegistration", agent.KindNotPrepared, "subscription SUBSCRIPTION is not registered for a resource provider", tryPrepare},
	{"RoleDefinitionDoesNotExist", agent.KindNotPrepared, "the self-deallocate role does not exist", tryPrepare},
	{"RoleAssignmentNotFound", agent.KindNotFound, "the role assignment does not exist", "mngr list"},
	{"PlatformImageNotFound", agent.KindUsage, "region REGION has no such machine image", tryImages},
	{"ImageNotFound", agent.KindUsage, "region REGION has no such machine image", tryImages},

	// No machine to be had. Another size or region may have one.
	{"SkuNotAvailable", agent.KindNoCapacity, "SIZE has no capacity in REGION", tryCapacity},
	{"NotAvailableForSubscription", agent.KindNoCapacity, "the subscription may not use SIZE in REGION", tryCapacity},
	{"AllocationFailed", agent.KindNoCapacity, "SIZE has no capacity in REGION", tryCapacity},
	{"ZonalAllocationFailed", agent.KindNoCapacity, "SIZE has no capacity in its zone of REGION", tryCapacity},
	{"OverconstrainedAllocationRequest", agent.KindNoCapacity, "SIZE has no capacity in REGION under the conditions asked for", tryCapacity},
	{"OverconstrainedZonalAllocationRequest", agent.KindNoCapacity, "SIZE has no capacity in its zone of REGION under the conditions asked for", tryCapacity},
	{"SpotPriceGreaterThanProvidedMaxPrice", agent.KindNoCapacity, "Spot machines of SIZE in REGION cost more than spot_max_price", tryPrice},

	// Quota: only a person can raise it.
	{"OperationNotAllowed/quota", agent.KindQuota, "the quota QUOTA in REGION is used up: limit LIMIT, in use USAGE, needed NEEDED", tryQuota},
	{"QuotaExceeded", agent.KindQuota, "the quota QUOTA in REGION is used up: limit LIMIT, in use USAGE, needed NEEDED", tryQuota},
	{"PublicIPCountLimitReached", agent.KindQuota, "the quota of public addresses in REGION is used up: limit LIMIT, needed 1", tryIPQuota},
	{"StaticPublicIPCountLimitReached", agent.KindQuota, "the quota of static public addresses in REGION is used up: limit LIMIT, needed 1", tryIPQuota},
	{"RoleAssignmentLimitExceeded", agent.KindQuota, "subscription SUBSCRIPTION has as many role assignments as Azure allows", "az role assignment list --all --query \"[?principalName=='']\" --output table # those without a name are leftovers"},

	// Spot.
	{"AzureSpotIsNotSupportedForThisVMSize", agent.KindUsage, "SIZE cannot be Spot", trySpot},
	{"AzureSpotFeatureNotEnabledForSubscription", agent.KindDenied, "the subscription's offer has no Spot machines", "az account show --output table"},
	{"AzureSpotVMNotSupportedInAvailabilitySet", agent.KindUsage, "a Spot machine cannot be in an availability set", trySettings},
	{"AzureSpotIsNotSupportedForThisAPIVersion", agent.KindInternal, "this cloud's version of Compute knows no Spot machines", tryVersion},
	{"VMPriorityCannotBeApplied", agent.KindUsage, "a machine cannot become Spot, or cease to be, after its creation", "mngr list # destroy it and create it anew"},
	{"EvictionPolicyCanBeSetOnlyOnAzureSpotVirtualMachines", agent.KindUsage, "only a Spot machine has an eviction policy", trySettings},
	{"MaxPriceIsSupportedOnlyForAzureSpotVirtualMachines", agent.KindUsage, "only a Spot machine has a price limit", trySettings},
	{"MaxPriceValueInvalid", agent.KindUsage, "spot_max_price is neither -1 nor a price", tryPrice},
	{"MaxPriceChangeNotAllowedForAllocatedVMs", agent.KindConflict, "the price limit of a machine that is allocated cannot change", "mngr list # stop it first"},
	{"MaxPriceChangeNotAllowed", agent.KindConflict, "the price limit of this machine cannot change", "mngr list # destroy it and create it anew"},
	{"MoveResourcesWithAzureSpotVMNotSupported", agent.KindConflict, "a Spot machine cannot move to another resource group", "mngr list # destroy it and create it anew"},

	// Somebody else is at it; most pass.
	{"Conflict", agent.KindConflict, "another operation on it is under way", tryAgain},
	{"AnotherOperationInProgress", agent.KindConflict, "another operation on it is under way", tryAgain},
	{"RetryableError", agent.KindConflict, "another operation on it is under way", tryAgain},
	{"RetryableErrorDueToAnotherOperation", agent.KindConflict, "another operation on it is under way", tryAgain},
	{"ConflictingConcurrentWriteNotAllowed", agent.KindConflict, "somebody else is writing to it", tryAgain},
	{"OperationNotAllowed/busy", agent.KindConflict, "another operation on it is under way", tryAgain},
	{"OperationNotAllowed", agent.KindConflict, "", "mngr list"},
	{"OperationPreempted", agent.KindConflict, "another operation on the machine took over", "mngr list"},
	{"AttachDiskWhileBeingDetached", agent.KindConflict, "its disk is being detached", tryAgain},
	{"ResourceGroupBeingDeleted", agent.KindConflict, "resource group GROUP is being deleted", "az group wait --name GROUP --deleted # then: PREPARE"},
	{"PropertyChangeNotAllowed", agent.KindConflict, "the machine exists and cannot be changed this way", "mngr list # choose another name"},
	{"PreconditionFailed", agent.KindConflict, "it was changed by somebody else, or exists already", tryAgain},
	{"NicReservedForAnotherVm", agent.KindConflict, "Azure keeps the network interface of a failed machine for 180 seconds", "sleep 180 # then repeat the command"},
	{"NicInUse", agent.KindConflict, "the network interface is in use by a machine", tryInUse},
	{"PublicIPAddressInUse", agent.KindConflict, "the public address is in use", tryInUse},
	{"PrivateIPAddressInUse", agent.KindConflict, "the private address is in use", tryInUse},
	{"PublicIPAddressCannotBeDeleted", agent.KindConflict, "the public address is still attached to a network interface", tryInUse},
	{"CannotDeleteResource", agent.KindConflict, "something that belongs to it must go first", "az resource list --resource-group GROUP --output table"},
	{"InUseSubnetCannotBeDeleted", agent.KindConflict, "the subnet is in use by a network interface", tryInUse},
	{"InUseNetworkSecurityGroupCannotBeDeleted", agent.KindConflict, "the network security group is in use by a subnet or an interface", "az network nsg list --resource-group GROUP --output table"},
	{"SecurityRuleConflict", agent.KindConflict, "another rule of the network security group has the same priority", "az network nsg list --resource-group GROUP --query [].securityRules --output json"},
	{"InvalidResourceGroupLocation", agent.KindConflict, "resource group GROUP exists in another region", "az group show --name GROUP --query location --output tsv # use that region, or another resource_group"},
	{"InvalidResourceLocation", agent.KindConflict, "a resource of that name exists in another region", "az resource list --resource-group GROUP --output table # choose another name"},

	// Roles.
	{"PrincipalNotFound", agent.KindConflict, "the directory does not know the machine's identity yet", tryAgain},
	{"UnmatchedPrincipalType", agent.KindInternal, "the machine's identity is not of the type that was said", tryVersion},
	{"RoleAssignmentExists", agent.KindExists, "the role is assigned already", "mngr list"},
	{"RoleAssignmentUpdateNotPermitted", agent.KindConflict, "a role assignment of that id belongs to somebody else", "az role assignment list --all --output table"},
	{"RoleDefinitionWithSameNameExists", agent.KindExists, "another role of the tenant has the name", "az role definition list --custom-role-only --query [].roleName --output tsv"},
	{"RoleDefinitionHasAssignments", agent.KindConflict, "the self-deallocate role is still in use", tryRoles},

	// Slow down.
	{"TooManyRequests", agent.KindThrottled, "Azure throttles the requests of this subscription", tryLater},
	{"SubscriptionRequestsThrottled", agent.KindThrottled, "Azure throttles the requests of this subscription", tryLater},
	{"ResourceRequestsThrottled", agent.KindThrottled, "Azure throttles the requests for this kind of resource", tryLater},
	{"RateLimiting", agent.KindThrottled, "Azure Resource Graph throttles this login", tryLater},
	{"OperationNotAllowed/throttled", agent.KindThrottled, "Compute throttles the requests of this subscription (QUOTA) || Compute throttles the requests of this subscription", tryLater},

	// The machine did not come up.
	{"OSProvisioningTimedOut", agent.KindTimeout, "the machine booted and its system never reported to Azure", "mngr config list # is the image (image_publisher, image_offer, image_sku) one with an agent for Azure?"},
	{"OSProvisioningClientError", agent.KindInternal, "the machine's system reported a failure of its first boot", "mngr config list # is the image (image_publisher, image_offer, image_sku) one with cloud-init?"},
	{"VMExtensionProvisioningError", agent.KindInternal, "an extension that a policy adds to machines failed", tryPolicy},

	// Azure itself failed. Most pass.
	{"InternalServerError", agent.KindInternal, "Azure failed inside", tryInside},
	{"InternalExecutionError", agent.KindInternal, "Azure failed inside while it made the machine", tryInside},
	{"NetworkingInternalOperationError", agent.KindInternal, "Azure failed inside while it made the network", tryInside},
	{"BadGateway", agent.KindUnreachable, "Azure's front door got no answer from its service", tryInside},
	{"ServiceUnavailable", agent.KindUnreachable, "the service at Azure is not available now", tryInside},
	{"ServerBusy", agent.KindUnreachable, "the service at Azure is overloaded now", tryInside},
	{"GatewayTimeout", agent.KindUnreachable, "the service at Azure did not answer in time", tryInside},

	// Wrong words. ARM's own tell what is wrong.
	{"BadRequest/generation", agent.KindUsage, "SIZE does not boot an image of that generation", trySizes},
	{"BadRequest", agent.KindUsage, "", trySettings},
	{"InvalidParameter/adminUsername", agent.KindUsage, "Azure does not allow that admin_username", "mngr config set providers.PROVIDER.admin_username azureuser"},
	{"InvalidParameter/vmSize", agent.KindUsage, "region REGION has no machine size SIZE", trySizes},
	{"InvalidParameter", agent.KindUsage, "", trySettings},
	{"InvalidRequestContent", agent.KindInternal, "", tryVersion},
	{"InvalidRequestFormat", agent.KindInternal, "", tryVersion},
	{"InvalidResourceName", agent.KindUsage, "", trySettings},
	{"ReservedResourceName", agent.KindUsage, "Azure keeps a name in the request for itself", trySettings},
	{"LocationRequired", agent.KindUsage, "no region is given", tryRegions},
	{"LocationNotAvailableForResourceType", agent.KindUsage, "region REGION does not exist, or has no virtual machines", tryRegions},
	{"NoRegisteredProviderFound", agent.KindUsage, "region REGION does not exist, or lacks this kind of resource", tryRegions},
	{"InvalidApiVersionParameter", agent.KindInternal, "this cloud does not know the version of the interface that mngr speaks", tryVersion},
	{"MissingApiVersionParameter", agent.KindInternal, "a request without a version of the interface", tryVersion},
	{"InvalidResourceType", agent.KindInternal, "this cloud does not know a kind of resource that mngr uses", tryVersion},
	{"InvalidResourceNamespace", agent.KindInternal, "this cloud does not know a resource provider that mngr uses", tryVersion},
	{"HttpMethodNotSupported", agent.KindInternal, "this cloud does not know a request that mngr makes", tryVersion},
	{"UnsupportedMediaType", agent.KindInternal, "this cloud does not read what mngr sends", tryVersion},
	{"SubnetIsFull", agent.KindQuota, "the subnet has no address left", "az network vnet list --resource-group GROUP --output table # a larger subnet_address_prefix needs a new vnet_name"},
	{"NetcfgSubnetRangeOutsideVnet", agent.KindUsage, "subnet_address_prefix is not within the network's prefix", trySettings},
	{"NetcfgSubnetRangesOverlap", agent.KindUsage, "subnet_address_prefix overlaps with another subnet of the network", "az network vnet list --resource-group GROUP --query [].subnets[].addressPrefix --output tsv"},
	{"InvalidCIDRNotation", agent.KindUsage, "an address range is not written as 10.0.0.0/16", trySettings},
	{"InvalidAddressPrefixFormat", agent.KindUsage, "an address range is not written as 10.0.0.0/16", trySettings},
	{"SecurityRuleInvalidAddressPrefix", agent.KindUsage, "a source of the security group's rules is not written as 203.0.113.4/32", "mngr azure prepare --help # --allowed-ssh-cidr 203.0.113.4/32"},
}

// byCode finds a code's answer, in whatever case Azure writes the code.
var byCode = func() map[string]answer {
	index := make(map[string]answer, len(catalogue))
	for _, a := range catalogue {
		index[strings.ToLower(a.code)] = a
	}
	return index
}()
