package compute

import (
	"strings"

	"github.com/google/uuid"
	"golang.org/x/crypto/bcrypt"

	"mngr/internal/azlocal/doc"
	"mngr/internal/azlocal/fabric"
)

// shapeMachine fills in properties as the first answer shows them, and hides what no
// answer ever shows.
func shapeMachine(t *fabric.Tx, d *fabric.Document, given doc.Object, image Image) {
	props := d.Body.Obj("properties")
	for key, v := range given.Clone() {
		if key != "provisioningState" && key != "instanceView" && key != "vmId" && key != "timeCreated" {
			props[key] = v
		}
	}
	vmID := uuid.NewString()
	props["vmId"], props["provisioningState"], props["timeCreated"] = vmID, "Creating", fabric.Timestamp(t.World().Now())
	d.Hidden["key"], d.Hidden["stateSince"] = machineKey(d.ID, vmID), props["timeCreated"]

	size, _ := findSize(props.Str("hardwareProfile", "vmSize"))
	props.Set(size.Name, "hardwareProfile", "vmSize")
	shapeDisk(d, props, image)
	shapeProfile(d, props.Obj("osProfile"))
	hideUserData(d, props)
	shapeNetwork(d, props)
	if isSpot(d.Body) {
		props.Default("Deallocate", "evictionPolicy")
		props.Default(doc.Object{"maxPrice": float64(-1)}, "billingProfile")
	}
}

// shapeProfile keeps of the password only what tells whether a later write names the same.
func shapeProfile(d *fabric.Document, profile doc.Object) {
	if password := profile.Str("adminPassword"); password != "" {
		if hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost); err == nil {
			d.Hidden["passwordHash"] = string(hash)
		}
	}
	delete(profile, "customData")
	delete(profile, "adminPassword")
	profile.Default(d.Body.Str("name"), "computerName")
	profile.Default([]any{}, "secrets")
	profile.Default(true, "allowExtensionOperations")
	profile.Default(true, "requireGuestProvisionSignal")
	profile.Default(false, "linuxConfiguration", "disablePasswordAuthentication")
	profile.Default(true, "linuxConfiguration", "provisionVMAgent")
	profile.Default(doc.Object{"patchMode": "ImageDefault", "assessmentMode": "ImageDefault"}, "linuxConfiguration", "patchSettings")
	profile.Default(false, "linuxConfiguration", "enableVMAgentPlatformUpdates")
	for _, key := range profile.List("linuxConfiguration", "ssh", "publicKeys") {
		key.Default("/home/"+profile.Str("adminUsername")+"/.ssh/authorized_keys", "path")
	}
}

// hideUserData takes user data out of properties; only $expand=userData shows it.
func hideUserData(d *fabric.Document, props doc.Object) {
	if data, ok := props["userData"]; ok {
		d.Hidden["userData"] = data
		delete(props, "userData")
	}
}

func shapeDisk(d *fabric.Document, props doc.Object, image Image) {
	storage := props.Obj("storageProfile")
	storage.Set(image.Version, "imageReference", "exactVersion")
	storage.Default("Linux", "osDisk", "osType")
	storage.Default(d.Body.Str("name")+"_disk1_"+strings.ReplaceAll(uuid.NewString(), "-", ""), "osDisk", "name")
	storage.Default("FromImage", "osDisk", "createOption")
	storage.Default("ReadWrite", "osDisk", "caching")
	storage.Default("Premium_LRS", "osDisk", "managedDisk", "storageAccountType")
	storage.Default("Detach", "osDisk", "deleteOption")
	storage.Default(float64(image.DiskGB), "osDisk", "diskSizeGB")
	delete(storage.Obj("osDisk", "managedDisk"), "id") // absent until it is made
	storage["dataDisks"] = []any{}
}

// shapeNetwork puts inline interfaces aside until the operation makes them.
func shapeNetwork(d *fabric.Document, props doc.Object) {
	profile := props.Obj("networkProfile")
	if inline := profile["networkInterfaceConfigurations"]; inline != nil {
		d.Hidden["inline"] = inline
		delete(profile, "networkInterfaceConfigurations")
		delete(profile, "networkApiVersion")
		profile["networkInterfaces"] = []any{}
	}
}
