package rbac

import (
	"strings"

	"mngr/internal/azlocal/doc"
)

// Ids of built-in roles; they are the same in every tenant.
const (
	Owner       = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
	Contributor = "b24988ac-6180-42a0-ab88-20f7382dd24c"
	Reader      = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
)

type builtin struct {
	guid, name, description          string
	actions, notActions, dataActions []string
}

// builtins are the roles that people give to those who run machines, as the reference of
// built-in roles lists them (documentation: role-based-access-control/built-in-roles).
func builtins() []builtin {
	return []builtin{
		{Owner, "Owner", "Grants full access to manage all resources, including the ability to assign roles in Azure RBAC.", []string{"*"}, nil, nil},
		{
			Contributor, "Contributor", "Grants full access to manage all resources, but does not allow you to assign roles in Azure RBAC, manage assignments in Azure Blueprints, or share image galleries.", []string{"*"},
			[]string{
				"Microsoft.Authorization/*/Delete", "Microsoft.Authorization/*/Write", "Microsoft.Authorization/elevateAccess/Action",
				"Microsoft.Blueprint/blueprintAssignments/write", "Microsoft.Blueprint/blueprintAssignments/delete", "Microsoft.Compute/galleries/share/action",
				"Microsoft.Purview/consents/write", "Microsoft.Purview/consents/delete", "Microsoft.Resources/deploymentStacks/manageDenySetting/action",
				"Microsoft.Subscription/cancel/action", "Microsoft.Subscription/enable/action",
			}, nil,
		},
		{Reader, "Reader", "View all resources, but does not allow you to make any changes.", []string{"*/read"}, nil, nil},
		{
			"18d7d88d-d35e-4fb5-a5c3-7773c20a72d9", "User Access Administrator", "Lets you manage user access to Azure resources.",
			[]string{"*/read", "Microsoft.Authorization/*", "Microsoft.Support/*"}, nil, nil,
		},
		{
			"f58310d9-a9f6-439a-9e8d-f62e7b41a168", "Role Based Access Control Administrator",
			"Manage access to Azure resources by assigning roles using Azure RBAC. This role does not allow you to manage access using other ways, such as Azure Policy.",
			[]string{"Microsoft.Authorization/roleAssignments/write", "Microsoft.Authorization/roleAssignments/delete", "*/read", "Microsoft.Support/*"}, nil, nil,
		},
		{
			"9980e02c-c2be-4d73-94e8-173b1dc7cf3c", "Virtual Machine Contributor",
			"Lets you manage virtual machines, but not access to them, and not the virtual network or storage account they're connected to.", machineContributor(), nil, nil,
		},
		{
			"4d97b98b-1d4f-4787-a291-c67834d212e7", "Network Contributor", "Lets you manage networks, but not access to them.",
			ordinary("Microsoft.Network/*", "Microsoft.ResourceHealth/availabilityStatuses/read"), nil, nil,
		},
		{
			"4a9ae827-6dc8-4573-8ac7-8239d42aa03f", "Tag Contributor", "Lets you manage tags on entities, without providing access to the entities themselves.",
			ordinary("Microsoft.Resources/subscriptions/resourceGroups/resources/read", "Microsoft.Resources/subscriptions/resources/read", "Microsoft.Resources/tags/*"), nil, nil,
		},
		{
			"489581de-a3bd-480d-9518-53dea7416b33", "Desktop Virtualization Power On Contributor", "Provide permission to the Azure Virtual Desktop Resource Provider to start virtual machines.",
			ordinary("Microsoft.Compute/virtualMachines/start/action", "Microsoft.Compute/virtualMachines/read", "Microsoft.Compute/virtualMachines/instanceView/read",
				"Microsoft.HybridCompute/machines/read", "Microsoft.HybridCompute/operations/read", "Microsoft.HybridCompute/locations/operationresults/read",
				"Microsoft.HybridCompute/locations/operationstatus/read", "Microsoft.AzureStackHCI/virtualMachineInstances/read",
				"Microsoft.AzureStackHCI/virtualMachineInstances/start/action", "Microsoft.AzureStackHCI/operations/read"), nil, nil,
		},
		{
			"fb879df8-f326-4884-b1cf-06f3ad86be52", "Virtual Machine User Login", "View Virtual Machines in the portal and login as a regular user.", machineLogin(), nil,
			[]string{"Microsoft.Compute/virtualMachines/login/action", "Microsoft.HybridCompute/machines/login/action"},
		},
		{
			"1c0163c0-47e6-4577-8991-ea5c82e286e4", "Virtual Machine Administrator Login", "View Virtual Machines in the portal and login as administrator", machineLogin(), nil,
			[]string{
				"Microsoft.Compute/virtualMachines/login/action", "Microsoft.Compute/virtualMachines/loginAsAdmin/action",
				"Microsoft.HybridCompute/machines/login/action", "Microsoft.HybridCompute/machines/loginAsAdmin/action",
			},
		},
		{
			"43d0d8ad-25c7-4714-9337-8ba259a9fe05", "Monitoring Reader", "Can read all monitoring data.",
			[]string{"*/read", "Microsoft.OperationalInsights/workspaces/search/action", "Microsoft.Support/*"}, nil, nil,
		},
	}
}

// ordinary adds what nearly every role for one kind of resource has.
func ordinary(actions ...string) []string {
	return append(actions, "Microsoft.Authorization/*/read", "Microsoft.Insights/alertRules/*", "Microsoft.Resources/deployments/*",
		"Microsoft.Resources/subscriptions/resourceGroups/read", "Microsoft.Support/*")
}

func machineContributor() []string {
	const vaults = "Microsoft.RecoveryServices/Vaults/"
	return ordinary(
		"Microsoft.Compute/availabilitySets/*", "Microsoft.Compute/locations/*", "Microsoft.Compute/virtualMachines/*", "Microsoft.Compute/virtualMachineScaleSets/*",
		"Microsoft.Compute/cloudServices/*", "Microsoft.Compute/disks/write", "Microsoft.Compute/disks/read", "Microsoft.Compute/disks/delete", "Microsoft.DevTestLab/schedules/*",
		"Microsoft.Network/applicationGateways/backendAddressPools/join/action", "Microsoft.Network/loadBalancers/backendAddressPools/join/action",
		"Microsoft.Network/loadBalancers/inboundNatPools/join/action", "Microsoft.Network/loadBalancers/inboundNatRules/join/action",
		"Microsoft.Network/loadBalancers/probes/join/action", "Microsoft.Network/loadBalancers/read", "Microsoft.Network/locations/*",
		"Microsoft.Network/networkInterfaces/*", "Microsoft.Network/networkSecurityGroups/join/action", "Microsoft.Network/networkSecurityGroups/read",
		"Microsoft.Network/publicIPAddresses/join/action", "Microsoft.Network/publicIPAddresses/read",
		"Microsoft.Network/virtualNetworks/read", "Microsoft.Network/virtualNetworks/subnets/join/action",
		"Microsoft.RecoveryServices/locations/*", vaults+"backupFabrics/backupProtectionIntent/write",
		vaults+"backupFabrics/protectionContainers/protectedItems/*/read", vaults+"backupFabrics/protectionContainers/protectedItems/read",
		vaults+"backupFabrics/protectionContainers/protectedItems/write", vaults+"backupPolicies/read", vaults+"backupPolicies/write",
		vaults+"read", vaults+"usages/read", vaults+"write",
		"Microsoft.ResourceHealth/availabilityStatuses/read", "Microsoft.SerialConsole/serialPorts/connect/action",
		"Microsoft.SqlVirtualMachine/*", "Microsoft.Storage/storageAccounts/listKeys/action", "Microsoft.Storage/storageAccounts/read")
}

func machineLogin() []string {
	return []string{
		"Microsoft.Network/publicIPAddresses/read", "Microsoft.Network/virtualNetworks/read", "Microsoft.Network/loadBalancers/read", "Microsoft.Network/networkInterfaces/read",
		"Microsoft.Compute/virtualMachines/*/read", "Microsoft.HybridCompute/machines/*/read", "Microsoft.HybridConnectivity/endpoints/listCredentials/action",
	}
}

// findBuiltin returns a built-in role by its GUID.
func findBuiltin(guid string) (builtin, bool) {
	for _, b := range builtins() {
		if strings.EqualFold(b.guid, guid) {
			return b, true
		}
	}
	return builtin{}, false
}

func (b builtin) body(subscription string) doc.Object {
	return doc.Object{
		"id": definitionID(subscription, b.guid), "name": b.guid, "type": typeDefinition,
		"properties": doc.Object{
			"roleName": b.name, "type": "BuiltInRole", "description": b.description, "assignableScopes": []any{"/"},
			"permissions": []any{doc.Object{"actions": list(b.actions), "notActions": list(b.notActions), "dataActions": list(b.dataActions), "notDataActions": []any{}}},
			"createdOn":   "2015-02-02T21:55:09.8806423Z", "updatedOn": "2023-08-14T20:20:34.0000000Z", "createdBy": nil, "updatedBy": nil,
		},
	}
}

func definitionID(subscription, guid string) string {
	return "/subscriptions/" + subscription + "/providers/" + typeDefinition + "/" + guid
}

func list(values []string) []any {
	out := make([]any, len(values))
	for i, v := range values {
		out[i] = v
	}
	return out
}
