package compute

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/doc"
	"mngr/internal/azlocal/fabric"
	"mngr/internal/azlocal/network"
	"mngr/internal/azlocal/resources"
)

func putMachine(t *fabric.Tx, r *arm.Request) (*arm.Response, error) {
	old := t.Get(r.ID)
	etag := ""
	if old != nil {
		etag = old.Body.Str("etag")
	}
	if err := arm.CheckMatch(r, r.ID, etag); err != nil {
		return nil, err
	}
	if r.Body == nil {
		return nil, arm.Errorf(http.StatusBadRequest, "InvalidRequestContent", "The request content was invalid: a body is required.")
	}
	if old != nil {
		return updateMachine(t, r, old)
	}
	d, err := newMachine(t, r)
	if err != nil {
		return nil, err
	}
	t.Put(d)
	for _, n := range interfaces(d) {
		network.Release(t, n.Str("id"))
	}
	op := t.Begin(operation(t, d, jobCreate, r.Principal))
	body := present(t, r, t.Peek(d.ID))
	resp := t.Accepted(r, op, fabric.Async{Status: http.StatusCreated, Body: body, Async: true, Notify: true, RetryAfter: 10})
	return tagged(resp, body), nil
}

// refusedMachine is what a create leaves that was refused for want of capacity or quota: the
// interfaces it named are reserved for it.
func refusedMachine(t *fabric.Tx, r *arm.Request, e *arm.Error) {
	if e.Status != http.StatusConflict || e.Code != "SkuNotAvailable" && e.Code != "OperationNotAllowed" || t.Peek(r.ID) != nil {
		return
	}
	for _, n := range r.Body.List("properties", "networkProfile", "networkInterfaces") {
		network.Reserve(t, n.Str("id"), r.ID)
	}
}

// newMachine checks a create and makes its document. What it refuses leaves nothing.
func newMachine(t *fabric.Tx, r *arm.Request) (*fabric.Document, error) {
	given := r.Body.Obj("properties")
	if given == nil {
		return nil, invalid("properties", "Required parameter 'properties' is missing (null).")
	}
	tags, err := arm.ReadTags(r.Body)
	if err != nil {
		return nil, err
	}
	location := resources.Normalize(r.Body.Str("location"))
	if location == "" {
		return nil, arm.Gatewayf(http.StatusBadRequest, "LocationRequired", "The location property is required for this definition.")
	}
	if !resources.IsRegion(location) {
		return nil, arm.Gatewayf(http.StatusBadRequest, "LocationNotAvailableForResourceType",
			"The provided location '%s' is not available for resource type '%s'.", location, TypeVM)
	}
	size, image, err := checkHardware(given)
	if err != nil {
		return nil, err
	}
	if err := checkProfile(arm.Name(r.ID), given.Obj("osProfile")); err != nil {
		return nil, err
	}
	if err := checkNetwork(t, r.ID, location, given.Obj("networkProfile")); err != nil {
		return nil, err
	}
	if err := checkQuota(t, size, location, strings.EqualFold(given.Str("priority"), "Spot")); err != nil {
		return nil, err
	}
	d := &fabric.Document{ID: r.ID, Hidden: doc.Object{}}
	d.Body = doc.Object{"name": arm.Name(r.ID), "id": r.ID, "type": TypeVM, "location": location, "properties": doc.Object{}}
	if r.Body["tags"] != nil {
		d.Body["tags"] = doc.OfStrings(tags)
	}
	for _, key := range []string{"zones", "plan", "extendedLocation"} {
		if v := r.Body[key]; v != nil {
			d.Body[key] = v
		}
	}
	if err := giveIdentity(t, d, r.Body.Obj("identity")); err != nil {
		return nil, err
	}
	shapeMachine(t, d, given, image)
	if data := given.Str("osProfile", "customData"); data != "" {
		if err := t.Keep(d.ID, customData, data); err != nil {
			return nil, err
		}
	}
	return d, checkDiskName(t, d)
}

func checkHardware(given doc.Object) (Size, Image, error) {
	name := given.Str("hardwareProfile", "vmSize")
	size, ok := findSize(name)
	if !ok {
		return size, Image{}, invalid("vmSize", "The value %s provided for the VM size is not valid. The valid sizes in the current region are: %s. Find out more on the valid VM sizes in each region at https://aka.ms/azure-regions.", name, sizeNames())
	}
	image, err := findImage(given.Obj("storageProfile", "imageReference"))
	if err != nil {
		return size, image, err
	}
	if !strings.Contains(size.Generations, image.Generation) {
		return size, image, arm.Errorf(http.StatusBadRequest, "BadRequest", "The selected VM size '%s' cannot boot Hypervisor Generation '%s'. If this was a Create operation please check that the Hypervisor Generation of the Image matches the Hypervisor Generation of the selected VM Size.", size.Name, strings.TrimPrefix(image.Generation, "V"))
	}
	if size.Arch != "x64" {
		return size, image, arm.Errorf(http.StatusBadRequest, "BadRequest", "Cannot create a VM of size '%s' because this VM size only supports a CPU Architecture of 'Arm64', but an image or disk with CPU Architecture 'x64' was given.", size.Name)
	}
	return size, image, checkSpot(given, size)
}

func sizeNames() string {
	var names []string
	for _, s := range Sizes() {
		names = append(names, s.Name)
	}
	return strings.Join(names, ",")
}

// giveIdentity makes the principal of a system-assigned identity; it is in the first answer.
func giveIdentity(t *fabric.Tx, d *fabric.Document, given doc.Object) error {
	switch kind := given.Str("type"); kind {
	case "", "None":
		return nil
	case "SystemAssigned":
		d.Body["identity"] = doc.Object{"type": kind, "principalId": uuid.NewString(), "tenantId": t.World().Tenant}
		d.Hidden["clientId"] = uuid.NewString()
		return nil
	default:
		return arm.Errorf(http.StatusBadRequest, "InvalidIdentityType", "The identity type '%s' is not supported by the local Azure; SystemAssigned and None are.", kind)
	}
}

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

	shapeDisk(d, props, image)
	profile := props.Obj("osProfile")
	for _, secret := range []string{"customData", "adminPassword"} {
		delete(profile, secret)
	}
	profile.Default(d.Body.Str("name"), "computerName")
	profile.Default([]any{}, "secrets")
	profile.Default(true, "allowExtensionOperations")
	profile.Default(true, "requireGuestProvisionSignal")
	profile.Default(false, "linuxConfiguration", "disablePasswordAuthentication")
	profile.Default(true, "linuxConfiguration", "provisionVMAgent")
	profile.Default(doc.Object{"patchMode": "ImageDefault", "assessmentMode": "ImageDefault"}, "linuxConfiguration", "patchSettings")
	profile.Default(false, "linuxConfiguration", "enableVMAgentPlatformUpdates")
	if v := props.Str("userData"); v != "" {
		d.Hidden["userData"] = v
		delete(props, "userData")
	}
	shapeNetwork(d, props)
	if isSpot(d.Body) {
		props.Default("Deallocate", "evictionPolicy")
		props.Default(doc.Object{"maxPrice": float64(-1)}, "billingProfile")
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
	storage.Default([]any{}, "dataDisks")
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

// updateMachine is a PUT on a machine that exists.
func updateMachine(t *fabric.Tx, r *arm.Request, d *fabric.Document) (*arm.Response, error) {
	if location := resources.Normalize(r.Body.Str("location")); location != d.Body.Str("location") {
		return nil, arm.Gatewayf(http.StatusConflict, "InvalidResourceLocation",
			"The resource '%s' already exists in location '%s' in resource group '%s'. A resource with the same name cannot be created in location '%s'. Please select a new resource name.",
			arm.Name(d.ID), d.Body.Str("location"), arm.ParseID(d.ID).Group, location)
	}
	if err := checkUnchanged(r.Body.Obj("properties"), d); err != nil {
		return nil, err
	}
	if err := applyUpdate(t, r, d); err != nil {
		return nil, err
	}
	op := t.Begin(operation(t, d, jobUpdate, r.Principal))
	body := present(t, r, t.Peek(d.ID))
	resp := t.Accepted(r, op, fabric.Async{Status: http.StatusOK, Body: body, Async: true, Notify: true, RetryAfter: 10})
	return tagged(resp, body), nil
}

// checkUnchanged refuses a PUT that changes what cannot be.
func checkUnchanged(given doc.Object, d *fabric.Document) error {
	now := d.Body.Obj("properties")
	for _, path := range [][]string{
		{"osProfile", "adminUsername"}, {"osProfile", "computerName"}, {"storageProfile", "osDisk", "name"},
		{"priority"}, {"evictionPolicy"}, {"storageProfile", "imageReference", "publisher"}, {"storageProfile", "imageReference", "offer"}, {"storageProfile", "imageReference", "sku"},
	} {
		if v := given.Get(path...); v != nil && !same(v, now.Get(path...)) {
			return changed(strings.Join(path, "."))
		}
	}
	if v := given.Str("osProfile", "customData"); v != "" && v != d.Hidden.Str("customData") {
		return changed("osProfile.customData")
	}
	if given.Get("networkProfile", "networkInterfaceConfigurations") != nil {
		return changed("networkProfile.networkInterfaceConfigurations")
	}
	return nil
}

func changed(property string) error {
	return arm.Errorf(http.StatusConflict, "PropertyChangeNotAllowed", "Changing property '%s' is not allowed.", property).About(property)
}

func same(a, b any) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && string(x) == string(y)
}
