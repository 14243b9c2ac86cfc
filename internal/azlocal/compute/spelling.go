package compute

import (
	"strings"

	"mngr/internal/azlocal/doc"
)

// spell gives the keys of a machine's body their usual spelling: Azure reads JSON without
// case, and a secret must not come back because its key was written in another way. The
// names of tags stay as they are.
func spell(body doc.Object) {
	names := map[string]string{}
	for _, name := range strings.Fields(machineKeys) {
		names[strings.ToLower(name)] = name
	}
	spellWith(names, body)
}

func spellWith(names map[string]string, o doc.Object) {
	for key, v := range o {
		name := names[strings.ToLower(key)]
		if name != "" && name != key {
			delete(o, key)
			o[name] = v
		}
		if strings.EqualFold(key, "tags") || strings.EqualFold(key, "userAssignedIdentities") {
			continue
		}
		spellBelow(names, v)
	}
}

func spellBelow(names map[string]string, v any) {
	switch x := v.(type) {
	case doc.Object:
		spellWith(names, x)
	case map[string]any:
		spellWith(names, x)
	case []any:
		for _, e := range x {
			spellBelow(names, e)
		}
	}
}

// machineKeys are the keys that mean something here.
const machineKeys = `additionalCapabilities adminPassword adminUsername allowExtensionOperations billingProfile caching computerName
	createOption customData dataDisks deleteOption disablePasswordAuthentication diskSizeGB evictionPolicy hardwareProfile hibernationEnabled id
	identity imageReference keyData linuxConfiguration location lun managedDisk maxPrice name networkApiVersion networkInterfaceConfigurations
	networkInterfaces networkProfile offer osDisk osProfile osType path primary priority properties provisionVMAgent publicKeys publisher sku ssh
	storageAccountType storageProfile tags toBeDetached type userData version vmSize windowsConfiguration zones ipConfigurations subnet
	publicIPAddressConfiguration networkSecurityGroup publicIPAllocationMethod userAssignedIdentities commandId script parameters value`
