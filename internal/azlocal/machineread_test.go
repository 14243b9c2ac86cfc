package azlocal

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"

	"mngr/internal/azlocal/doc"
	"mngr/internal/azlocal/fabric"
)

const newCompute = "api-version=2025-04-01"

// TestSecretsStayIn writes secrets in every spelling, and looks for them in all that can be
// read: answers, lists, operations, the activity log.
func TestSecretsStayIn(t *testing.T) {
	l := startLocal(t, nil)
	c, ctx := l.sdk(l.credential()), within(t)
	c.prepare(ctx)
	r := l.raw(ctx)
	body := must[[]byte](t)(json.Marshal(c.machine(nil)))
	marks := strings.NewReplacer(`"customData"`, `"CustomData"`, `"osProfile":{`, `"OSProfile":{"ADMINPASSWORD":"Pa55word-MARK",`, `"disablePasswordAuthentication":true`, `"disablePasswordAuthentication":false`,
		`"properties":{"hardwareProfile"`, `"Properties":{"UserData":"VVNFUi1NQVJL","hardwareProfile"`)
	vm := c.id("Microsoft.Compute/virtualMachines/vm")
	secrets := []string{"Pa55word", "SECRET-MARK", "I1NFQ1JFVC1NQVJL", "VVNFUi1NQVJL", "adminpassword", "customdata", "SCRIPT-MARK"}
	clean := func(what string, got reply) reply {
		t.Helper()
		for _, secret := range secrets {
			if bytes.Contains(bytes.ToLower(got.Body), []byte(strings.ToLower(secret))) {
				t.Errorf("%s shows %s: %s", what, secret, got.Body)
			}
		}
		return got
	}
	put := clean("put", r.do(ctx, "PUT", vm+"?"+newCompute, marks.Replace(string(body))))
	if put.Status != http.StatusCreated {
		t.Fatalf("%d %s", put.Status, put.Body)
	}
	clean("operation", r.settle(ctx, put))
	script := r.do(ctx, "POST", vm+"/runCommand?"+newCompute, `{"commandId":"RunShellScript","script":["echo SCRIPT-MARK"]}`)
	clean("operation of the script", r.settle(ctx, script))
	for _, path := range []string{"", "?$expand=instanceView", "/instanceView"} {
		sep := "?"
		if strings.Contains(path, "?") {
			sep = "&"
		}
		clean("get "+path, r.do(ctx, "GET", vm+path+sep+newCompute, ""))
	}
	clean("patch", r.do(ctx, "PATCH", vm+"?"+newCompute, `{"properties":{"hardwareProfile":{"vmSize":"Standard_B2s"}}}`))
	sub := "/subscriptions/" + l.inst.Subscription
	for _, list := range []string{sub + "/providers/Microsoft.Compute/virtualMachines?", sub + "/providers/Microsoft.Compute/virtualMachines?statusOnly=true&",
		sub + "/providers/Microsoft.Compute/locations/westus/virtualMachines?", sub + "/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines?"} {
		if got := clean(list, r.do(ctx, "GET", list+newCompute, "")); !bytes.Contains(got.Body, []byte(`"vm"`)) {
			t.Errorf("%s: %s", list, got.Body)
		}
	}
	clean("resources", r.do(ctx, "GET", sub+"/resources?api-version=2021-04-01", ""))
	clean("activity log", reply{Body: must[[]byte](t)(os.ReadFile(l.inst.Path("activity.jsonl")))})

	shown := r.do(ctx, "GET", vm+"?$expand=userData&"+newCompute, "")
	if !bytes.Contains(shown.Body, []byte(`"userData":"VVNFUi1NQVJL"`)) {
		t.Errorf("user data is not shown when it is asked for: %s", shown.Body)
	}
}

// TestWrongMachines lists creates that are refused, with Azure's code and target.
func TestWrongMachines(t *testing.T) {
	l := startLocal(t, nil)
	c, ctx := l.sdk(l.credential()), within(t)
	c.prepare(ctx)
	r := l.raw(ctx)
	r.settle(ctx, r.do(ctx, "PUT", c.id("Microsoft.Network/virtualNetworks/east")+"?api-version=2025-01-01",
		`{"location":"eastus","properties":{"addressSpace":{"addressPrefixes":["10.8.0.0/16"]},"subnets":[{"name":"s","properties":{"addressPrefix":"10.8.0.0/24"}}]}}`))
	r.settle(ctx, r.do(ctx, "PUT", c.id("Microsoft.Network/networkInterfaces/east")+"?api-version=2025-01-01",
		`{"location":"eastus","properties":{"ipConfigurations":[{"name":"c","properties":{"subnet":{"id":"`+c.id("Microsoft.Network/virtualNetworks/east/subnets/s")+`"}}}]}}`))
	body := string(must[[]byte](t)(json.Marshal(c.machine(nil))))
	profile := `"adminUsername":"azureuser"`
	for _, bad := range []struct {
		name, old, new string
		status         int
		code, target   string
	}{
		{"vm-", "", "", 400, "InvalidParameter", "vmName"},
		{"", profile, `"adminUsername":"Root"`, 400, "InvalidParameter", "adminUsername"},
		{"", profile, `"adminUsername":""`, 400, "InvalidParameter", "adminUsername"},
		{"", profile, profile + `,"adminPassword":"Pa55word-x"`, 400, "InvalidParameter", "adminPassword"},
		{"", `"computerName":"vm"`, `"computerName":"a_b"`, 400, "InvalidParameter", "computerName"},
		{"", testKey, "ssh-dss AAAA", 400, "InvalidParameter", "linuxConfiguration.ssh.publicKeys.keyData"},
		{"", "/home/azureuser/", "/root/", 400, "InvalidParameter", "linuxConfiguration.ssh.publicKeys.path"},
		{"", `"sku":"12-gen2"`, `"sku":"99"`, 404, "PlatformImageNotFound", "imageReference"},
		{"", `"Standard_B2s"`, `"Standard_B2ps_v2"`, 400, "BadRequest", ""},
		{"", `"Standard_B2s"`, `"Standard_Z"`, 400, "InvalidParameter", "vmSize"},
		{"", `"location":"westus"`, `"location":"westus","zones":["1"]`, 400, "InvalidAvailabilityZone", ""},
		{"", `"createOption":"FromImage"`, `"createOption":"FromImage","diskSizeGB":10`, 409, "OperationNotAllowed", "osDisk.diskSizeGB"},
		{"", `"deleteOption":"Delete"`, `"deleteOption":"Forget"`, 400, "InvalidParameter", ""},
		{"", `"StandardSSD_LRS"`, `"Floppy"`, 400, "InvalidParameter", "osDisk.managedDisk.storageAccountType"},
		{"", `"SystemAssigned"`, `"Everybody"`, 400, "InvalidParameter", "identity.type"},
		{"", `"name":"vm-os"`, `"name":"a/b"`, 400, "InvalidParameter", "osDisk.name"},
		{"", `"name":"nic"`, `"name":"a/b"`, 400, "InvalidResourceName", ""},
		{"", `"name":"ip"`, `"name":"a/b"`, 400, "InvalidResourceName", ""},
		{"", `"name":"pip"`, `"name":"a/b"`, 400, "InvalidResourceName", ""},
		{"", `"osDisk":{`, `"dataDisks":[{"lun":0,"createOption":"Empty","diskSizeGB":4,"name":"a/b"}],"osDisk":{`, 400, "InvalidParameter", "dataDisk.name"},
		{"", `"osDisk":{`, emptyDiskAt(c.id("Microsoft.Compute/virtualMachines/other")), 400, "InvalidParameter", "dataDisk.managedDisk.id"},
		{"", `"osDisk":{`, emptyDiskAt("/subscriptions/" + c.inst.Subscription + "/resourceGroups/new"), 400, "InvalidParameter", "dataDisk.managedDisk.id"},
		{"", `"osDisk":{`, emptyDiskAt("/subscriptions/" + c.inst.Subscription + "/resourceGroups/nowhere/providers/Microsoft.Compute/disks/d"), 400, "InvalidParameter", "dataDisk.managedDisk.id"},
		{"", `"osDisk":{`, emptyDiskAt(c.id("Microsoft.Compute/disks/a/b/c")), 400, "InvalidParameter", "dataDisk.managedDisk.id"},
		{"", `"hardwareProfile":{`, `"additionalCapabilities":{"hibernationEnabled":true},"hardwareProfile":{`, 400, "BadRequest", ""},
	} {
		name, wrong := bad.name, strings.ReplaceAll(body, bad.old, bad.new)
		if bad.old == "" {
			wrong = body
		}
		if name == "" {
			name = "vm"
		}
		if bad.old != "" && wrong == body {
			t.Fatalf("%s is not in %s", bad.old, body)
		}
		l.refused(t, r.do(ctx, "PUT", c.id("Microsoft.Compute/virtualMachines/"+name)+"?"+newCompute, wrong), bad.status, bad.code, bad.target)
	}
	nic := func(ids ...string) string {
		v := c.machine(nil)
		v.Properties.NetworkProfile = &armcompute.NetworkProfile{}
		for _, id := range ids {
			v.Properties.NetworkProfile.NetworkInterfaces = append(v.Properties.NetworkProfile.NetworkInterfaces, &armcompute.NetworkInterfaceReference{ID: new(c.id("Microsoft.Network/networkInterfaces/" + id))})
		}
		return string(must[[]byte](t)(json.Marshal(v)))
	}
	vm := c.id("Microsoft.Compute/virtualMachines/vm") + "?" + newCompute
	l.refused(t, r.do(ctx, "PUT", vm, nic("east")), 400, "InvalidResourceReference", "")
	l.refused(t, r.do(ctx, "PUT", vm, nic("none")), 400, "InvalidResourceReference", "")
	l.refused(t, r.do(ctx, "PUT", vm, nic("east", "none")), 400, "VirtualMachineMustHaveOneNetworkInterfaceAsPrimary", "")
	l.refused(t, r.do(ctx, "PUT", vm, nic("a", "b", "c")), 400, "NetworkInterfaceCountExceeded", "")
	r.settle(ctx, r.do(ctx, "PUT", c.id("Microsoft.Compute/virtualMachines/vm_")+"?"+newCompute, strings.Replace(body, `"osDisk":{`, emptyDiskAt(c.id("Microsoft.Compute/disks/d")), 1)))
	if d := c.disk(ctx, "d"); !strings.HasSuffix(*d.ManagedBy, "/vm_") {
		t.Errorf("the owner of the empty disk: %s", *d.ManagedBy)
	}
}

// emptyDiskAt asks for an empty data disk that says where it is to be.
func emptyDiskAt(id string) string {
	return `"dataDisks":[{"lun":0,"createOption":"Empty","diskSizeGB":4,"managedDisk":{"id":"` + id + `"}}],"osDisk":{`
}

// TestPartOfUnknownKind takes up the deletion of a part of a machine that an older version
// stored under an id of no type: it is given up, and the daemon lives on.
func TestPartOfUnknownKind(t *testing.T) {
	l := startLocal(t, nil)
	c, ctx := l.sdk(l.credential()), within(t)
	c.prepare(ctx)
	id := c.id("Microsoft.Compute/disks/a/b")
	var op fabric.Operation
	if err := l.server.world.Update(func(tx *fabric.Tx) error {
		tx.Put(&fabric.Document{ID: id, Body: doc.Object{"id": id}})
		op = tx.Begin(fabric.Operation{Job: "vm.cascade", Target: id, Family: fabric.ComputeFamily, Location: "westus"})
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := l.server.world.Wait(ctx, op.ID); err != nil {
		t.Fatal(err)
	}
	c.create(ctx)
}

// refused fails unless an answer is ARM's refusal.
func (l *local) refused(t *testing.T, got reply, status int, code, target string) {
	t.Helper()
	var envelope struct {
		Error struct{ Code, Message, Target string }
	}
	if err := json.Unmarshal(got.Body, &envelope); err != nil {
		t.Fatalf("%d %s", got.Status, got.Body)
	}
	e := envelope.Error
	if got.Status != status || e.Code != code || e.Message == "" || target != "" && e.Target != target {
		t.Errorf("got %d %s, want %d %s about %q", got.Status, got.Body, status, code, target)
	}
}

// TestLists asks for machines by region, with filters that exist and that do not.
func TestLists(t *testing.T) {
	l := startLocal(t, nil)
	c, ctx := l.sdk(l.credential()), within(t)
	c.made(ctx, c.machine(nil))
	count := func(location string) int {
		return len(must[armcompute.VirtualMachinesClientListByLocationResponse](t)(c.vms.NewListByLocationPager(location, nil).NextPage(ctx)).Value)
	}
	if count("westus") != 1 || count("eastus") != 0 {
		t.Errorf("westus %d, eastus %d", count("westus"), count("eastus"))
	}
	r := l.raw(ctx)
	vms := "/subscriptions/" + l.inst.Subscription + "/providers/Microsoft.Compute/virtualMachines?" + newCompute
	l.refused(t, r.do(ctx, "GET", vms+"&$filter="+url.QueryEscape("name eq 'vm'"), ""), 400, "InvalidParameter", "$filter")
	l.refused(t, r.do(ctx, "GET", vms+"&$expand=instanceView", ""), 400, "InvalidParameter", "$expand")
	l.refused(t, r.do(ctx, "GET", c.id("Microsoft.Compute/virtualMachines/vm")+"?$expand=everything&"+newCompute, ""), 400, "InvalidParameter", "$expand")
	scaleSet := r.do(ctx, "GET", vms+"&$expand=instanceView&$filter="+url.QueryEscape("'virtualMachineScaleSet/id' eq '/x'"), "")
	if scaleSet.Status != 200 || string(scaleSet.Body) != `{"value":[]}` {
		t.Errorf("%d %s", scaleSet.Status, scaleSet.Body)
	}
	sizes := must[armcompute.VirtualMachinesClientListAvailableSizesResponse](t)(c.vms.NewListAvailableSizesPager("rg", "vm", nil).NextPage(ctx))
	for _, s := range sizes.Value {
		if strings.HasSuffix(*s.Name, "ps_v2") {
			t.Errorf("a machine of x64 could become a %s", *s.Name)
		}
	}
	l.refused(t, r.do(ctx, "GET", c.id("Microsoft.Compute/virtualMachines/none/vmSizes")+"?"+newCompute, ""), 404, "ResourceNotFound", "")
}

// TestCatalogue walks from publishers to one version, and through what a subscription may use.
func TestCatalogue(t *testing.T) {
	l := startLocal(t, nil)
	ctx, cred := within(t), l.credential()
	images := must[*armcompute.VirtualMachineImagesClient](t)(armcompute.NewVirtualMachineImagesClient(l.inst.Subscription, cred, l.options()))
	all := must[armcompute.VirtualMachineImagesClientListResponse](t)(images.List(ctx, "westus", "Debian", "debian-12", "12-gen2", nil))
	newest := must[armcompute.VirtualMachineImagesClientListResponse](t)(images.List(ctx, "westus", "debian", "Debian-12", "12-GEN2",
		&armcompute.VirtualMachineImagesClientListOptions{Top: new(int32(1)), Orderby: new("name desc")}))
	resources := newest.VirtualMachineImageResourceArray
	if len(all.VirtualMachineImageResourceArray) < 2 || len(resources) != 1 || *resources[0].Name != *all.VirtualMachineImageResourceArray[len(all.VirtualMachineImageResourceArray)-1].Name {
		t.Fatalf("%+v", resources)
	}
	one := must[armcompute.VirtualMachineImagesClientGetResponse](t)(images.Get(ctx, "westus", "Debian", "debian-12", "12-gen2", *resources[0].Name, nil))
	if *one.Properties.HyperVGeneration != "V2" || *one.Properties.OSDiskImage.OperatingSystem != "Linux" {
		t.Fatalf("%+v", one.Properties)
	}
	_, err := images.List(ctx, "westus", "Debian", "debian-13", "13", nil)
	wantCode(t, err, 404, "NotFound")
	if got := must[armcompute.VirtualMachineImagesClientListPublishersResponse](t)(images.ListPublishers(ctx, "westus", nil)); len(got.VirtualMachineImageResourceArray) != 2 {
		t.Errorf("%+v", got)
	}

	skus := must[*armcompute.ResourceSKUsClient](t)(armcompute.NewResourceSKUsClient(l.inst.Subscription, cred, l.options()))
	kinds := map[string]int{}
	for pager := skus.NewListPager(&armcompute.ResourceSKUsClientListOptions{Filter: new("location eq 'East US'")}); pager.More(); {
		for _, s := range must[armcompute.ResourceSKUsClientListResponse](t)(pager.NextPage(ctx)).Value {
			kinds[*s.ResourceType]++
			if len(s.Locations) != 1 || *s.Locations[0] != "eastus" || len(s.LocationInfo[0].Zones) != 3 {
				t.Fatalf("%+v", s)
			}
		}
	}
	if kinds["virtualMachines"] < 10 || kinds["disks"] < 5 {
		t.Errorf("%v", kinds)
	}
	_, err = skus.NewListPager(&armcompute.ResourceSKUsClientListOptions{Filter: new("name eq 'x'")}).NextPage(ctx)
	wantCode(t, err, 400, "InvalidParameter")
}
