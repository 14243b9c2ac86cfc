package imds

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"mngr/internal/azlocal/doc"
	"mngr/internal/azlocal/fabric"
)

// TestComputeNode shows the zone and the data disks of a machine that has them; without, the
// zone is empty and the list is one.
func TestComputeNode(t *testing.T) {
	const id = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Compute/"
	disk := doc.Object{"lun": float64(3), "name": "d", "createOption": "Attach", "caching": "ReadOnly", "diskSizeGB": float64(8), "deleteOption": "Detach", "toBeDetached": false,
		"managedDisk": doc.Object{"id": id + "disks/d", "storageAccountType": "Premium_LRS"}}
	d := &fabric.Document{ID: id + "virtualMachines/vm", Body: doc.Object{"zones": []any{"2"},
		"properties": doc.Object{"storageProfile": doc.Object{"dataDisks": []any{disk}}}}}
	node := computeNode(d)
	want := []any{doc.Object{"lun": "3", "name": "d", "createOption": "Attach", "caching": "ReadOnly", "diskSizeGB": "8",
		"managedDisk": doc.Object{"id": id + "disks/d", "storageAccountType": "Premium_LRS"},
		"image":       doc.Object{"uri": ""}, "vhd": doc.Object{"uri": ""}, "writeAcceleratorEnabled": "false"}}
	if diff := cmp.Diff(want, node.Get("storageProfile", "dataDisks")); diff != "" {
		t.Error(diff)
	}
	if node["zone"] != "2" || node["isVmInStandbyPool"] != "" {
		t.Errorf("zone %v, standby %v", node["zone"], node["isVmInStandbyPool"])
	}
	bare := computeNode(&fabric.Document{ID: d.ID, Body: doc.Object{}})
	if bare["zone"] != "" || !cmp.Equal(bare.Get("storageProfile", "dataDisks"), any([]any{})) {
		t.Errorf("without: zone %v, disks %v", bare["zone"], bare.Get("storageProfile", "dataDisks"))
	}
}
