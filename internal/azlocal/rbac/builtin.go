package rbac

import (
	"mngr/internal/azlocal/doc"
)

// Ids of built-in roles; they are the same in every tenant.
const (
	Owner       = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
	Contributor = "b24988ac-6180-42a0-ab88-20f7382dd24c"
	Reader      = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
)

type builtin struct {
	guid, name, description string
	actions, notActions     []string
}

func builtins() []builtin {
	return []builtin{
		{Owner, "Owner", "Grants full access to manage all resources, including the ability to assign roles in Azure RBAC.", []string{"*"}, nil},
		{Contributor, "Contributor", "Grants full access to manage all resources, but does not allow you to assign roles in Azure RBAC.", []string{"*"},
			[]string{"Microsoft.Authorization/*/Delete", "Microsoft.Authorization/*/Write", "Microsoft.Authorization/elevateAccess/Action"}},
		{Reader, "Reader", "View all resources, but does not allow you to make any changes.", []string{"*/read"}, nil},
		{"18d7d88d-d35e-4fb5-a5c3-7773c20a72d9", "User Access Administrator", "Lets you manage user access to Azure resources.",
			[]string{"*/read", "Microsoft.Authorization/*"}, nil},
		{"9980e02c-c2be-4d73-94e8-173b1dc7cf3c", "Virtual Machine Contributor", "Lets you manage virtual machines, but not access to them, and not the virtual network or storage account they're connected to.",
			[]string{"Microsoft.Authorization/*/read", "Microsoft.Compute/virtualMachines/*", "Microsoft.Compute/locations/*", "Microsoft.Compute/disks/read", "Microsoft.Compute/disks/write", "Microsoft.Compute/disks/delete",
				"Microsoft.Network/networkInterfaces/*", "Microsoft.Network/networkSecurityGroups/join/action", "Microsoft.Network/networkSecurityGroups/read", "Microsoft.Network/publicIPAddresses/join/action",
				"Microsoft.Network/publicIPAddresses/read", "Microsoft.Network/virtualNetworks/read", "Microsoft.Network/virtualNetworks/subnets/join/action", "Microsoft.Resources/subscriptions/resourceGroups/read"}, nil},
		{"4a9ae827-6dc8-4573-8ac7-8239d42aa03f", "Tag Contributor", "Lets you manage tags on entities, without providing access to the entities themselves.",
			[]string{"Microsoft.Authorization/*/read", "Microsoft.Resources/subscriptions/resourceGroups/read", "Microsoft.Resources/subscriptions/resourceGroups/resources/read", "Microsoft.Resources/subscriptions/resources/read", "Microsoft.Resources/tags/*"}, nil},
	}
}

func (b builtin) body(subscription string) doc.Object {
	return doc.Object{
		"id": definitionID(subscription, b.guid), "name": b.guid, "type": typeDefinition,
		"properties": doc.Object{
			"roleName": b.name, "type": "BuiltInRole", "description": b.description, "assignableScopes": []any{"/"},
			"permissions": []any{doc.Object{"actions": list(b.actions), "notActions": list(b.notActions), "dataActions": []any{}, "notDataActions": []any{}}},
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
