package compute

import (
	"net/http"
	"strings"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/doc"
	"mngr/internal/azlocal/fabric"
	"mngr/internal/azlocal/network"
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
		return nil, needsBody()
	}
	spell(r.Body)
	if old != nil {
		return replaceMachine(t, r, old)
	}
	d, err := newMachine(t, r)
	if err != nil {
		return nil, err
	}
	fate, err := allocate(t, d)
	if err != nil {
		return nil, err
	}
	t.Put(d)
	for _, n := range interfaces(d) {
		network.Release(t, n.Str("id"))
	}
	takeDisks(t, d, nil)
	create := operation(t, d, jobCreate, r.Principal)
	create.Fate = fate
	return acceptMachine(t, r, d, t.Begin(create), http.StatusCreated), nil
}

// acceptMachine answers a write to a machine with the machine as it will be.
func acceptMachine(t *fabric.Tx, r *arm.Request, d *fabric.Document, op fabric.Operation, status int) *arm.Response {
	body := present(t, r, t.Peek(d.ID))
	resp := t.Accepted(r, op, fabric.Async{Status: status, Body: body, Async: true, Notify: r.Method == http.MethodPut, RetryAfter: 10})
	return tagged(resp, body)
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
		return nil, missing("properties")
	}
	tags, err := arm.ReadTags(r.Body)
	if err != nil {
		return nil, err
	}
	location := normalize(r.Body)
	if err := checkLocation(TypeVM, location); err != nil {
		return nil, err
	}
	if err := checkZones(r); err != nil {
		return nil, err
	}
	size, image, err := checkHardware(given)
	if err != nil {
		return nil, err
	}
	if err := checkMachine(arm.Name(r.ID), given, image); err != nil {
		return nil, err
	}
	if err := checkNetwork(t, r.ID, location, given.Obj("networkProfile"), size); err != nil {
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
	if err := checkNewDisk(t, diskID(d), osDiskName(d), "osDisk.name"); err != nil {
		return nil, err
	}
	disks, err := planDisks(t, d, given.List("storageProfile", "dataDisks"), size)
	if err != nil {
		return nil, err
	}
	d.Body.Set(disks, "properties", "storageProfile", "dataDisks")
	if data := given.Str("osProfile", "customData"); data != "" {
		if err := t.Keep(d.ID, customData, data); err != nil {
			return nil, err
		}
	}
	return d, checkQuota(t, size, location, isSpot(d.Body))
}

func checkHardware(given doc.Object) (Size, Image, error) {
	name := given.Str("hardwareProfile", "vmSize")
	size, ok := findSize(name)
	if !ok {
		return size, Image{}, unknownSize(name)
	}
	if given.Obj("storageProfile", "imageReference") == nil {
		return size, Image{}, missing("storageProfile.imageReference")
	}
	image, err := findImage(given.Obj("storageProfile", "imageReference"))
	if err != nil {
		return size, image, err
	}
	if err := checkBoot(size, image); err != nil {
		return size, image, err
	}
	return size, image, checkSpot(given, size)
}

func unknownSize(name string) error {
	var names []string
	for _, s := range Sizes() {
		names = append(names, s.Name)
	}
	return invalid("vmSize", "The value %s provided for the VM size is not valid. The valid sizes in the current region are: %s. Find out more on the valid VM sizes in each region at https://aka.ms/azure-regions.", name, strings.Join(names, ","))
}

// checkBoot refuses an image that a size cannot boot.
func checkBoot(size Size, image Image) error {
	if !strings.Contains(size.Generations, image.Generation) {
		return arm.Errorf(http.StatusBadRequest, "BadRequest", "The selected VM size '%s' cannot boot Hypervisor Generation '%s'. If this was a Create operation please check that the Hypervisor Generation of the Image matches the Hypervisor Generation of the selected VM Size.", size.Name, strings.TrimPrefix(image.Generation, "V"))
	}
	if size.Arch != "x64" {
		return arm.Errorf(http.StatusBadRequest, "BadRequest", "Cannot create a VM of size '%s' because this VM size only supports a CPU Architecture of 'Arm64', but an image or disk with CPU Architecture 'x64' was given.", size.Name)
	}
	return nil
}

// checkMachine refuses what is wrong with a create beyond its hardware and network.
func checkMachine(name string, given doc.Object, image Image) error {
	if err := checkProfile(name, given.Obj("osProfile")); err != nil {
		return err
	}
	if err := checkUserData(given); err != nil {
		return err
	}
	if given.Bool("additionalCapabilities", "hibernationEnabled") {
		return arm.Errorf(http.StatusBadRequest, "BadRequest", "Hibernation is not supported for the VM size '%s'. For more information, see https://aka.ms/hibernate-resume/errors.", given.Str("hardwareProfile", "vmSize"))
	}
	return checkOSDisk(given.Obj("storageProfile", "osDisk"), image)
}

func checkUserData(given doc.Object) error {
	return checkData("userData", given["userData"], "User data must be in Base64 encoding and with a maximum length of 87380 characters.")
}

func checkOSDisk(disk doc.Object, image Image) error {
	option, sku := disk.Str("createOption"), disk.Str("managedDisk", "storageAccountType")
	size := disk.Int("diskSizeGB")
	switch {
	case option != "" && !strings.EqualFold(option, "FromImage"):
		return invalid("osDisk.createOption", "The value '%s' of parameter 'osDisk.createOption' is not allowed. Allowed values are 'FromImage'.", option)
	case disk.Str("osType") != "" && !strings.EqualFold(disk.Str("osType"), "Linux"):
		return invalid("osDisk.osType", "The value '%s' of parameter 'osDisk.osType' does not match the operating system of the image.", disk.Str("osType"))
	case disk.Obj("vhd") != nil:
		return invalid("osDisk.vhd", "Blob based disks are not allowed with a managed image.")
	case size != 0 && size < image.DiskGB:
		return notAllowed("The specified disk size %d GB is smaller than the size of the corresponding disk in the VM image: %d GB. This is not allowed. Please choose equal or greater size or do not specify an explicit size.", size, image.DiskGB).About("osDisk.diskSizeGB")
	case size > maxOSDiskGB:
		return invalid("osDisk.diskSizeGB", "The value '%d' of parameter 'osDisk.diskSizeGB' is out of range. The value must be between '1' and '%d', inclusive.", size, maxOSDiskGB)
	}
	if sku != "" {
		if err := checkDiskSKU("osDisk.managedDisk.storageAccountType", sku); err != nil {
			return err
		}
	}
	return checkDeleteOption("osDisk.deleteOption", disk.Str("deleteOption"))
}

// maxOSDiskGB is the largest OS disk (documentation: managed-disks-overview).
const maxOSDiskGB = 4095
