package compute

import (
	"net/http"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/fabric"
)

// Routes are the operations of this provider.
func (p *Provider) Routes() []fabric.Route {
	const (
		sub, group = "/subscriptions/{sub}", "/subscriptions/{sub}/resourceGroups/{group}"
		vms        = "/providers/" + TypeVM
		vm         = group + vms + "/{name}"
		disks      = "/providers/" + TypeDisk
		loc        = sub + "/providers/Microsoft.Compute/locations/{location}"
		images     = loc + "/publishers"
		rp         = "Microsoft.Compute/"
	)
	deletion := fabric.Async{Status: http.StatusAccepted, Async: true, Location: true, Notify: true, RetryAfter: 10}
	diskDeletion := fabric.Async{Status: http.StatusAccepted, Async: true, Location: true, RetryAfter: 2}
	get := func(pattern, action string, h func(*fabric.Tx, *arm.Request) (*arm.Response, error)) fabric.Route {
		return fabric.Route{Method: http.MethodGet, Pattern: pattern, Action: action, Partial: true, Handle: h}
	}
	routes := []fabric.Route{
		get(sub+vms, TypeVM+"/read", listMachines),
		get(group+vms, TypeVM+"/read", listMachines),
		{Method: http.MethodGet, Pattern: vm, Action: TypeVM + "/read", Handle: getMachine},
		{Method: http.MethodGet, Pattern: vm + "|/instanceView", Action: TypeVM + "/instanceView/read", Handle: getInstanceView},
		{Method: http.MethodGet, Pattern: vm + "|/vmSizes", Action: TypeVM + "/vmSizes/read", Handle: listSizesOf},
		{Method: http.MethodPut, Pattern: vm, Action: TypeVM + "/write", Handle: putMachine, Refused: refusedMachine},
		{Method: http.MethodPatch, Pattern: vm, Action: TypeVM + "/write", Handle: patchMachine},
		{Method: http.MethodPost, Pattern: vm + "|/simulateEviction", Action: TypeVM + "/simulateEviction/action", Handle: p.simulateEviction},
		{Method: http.MethodPost, Pattern: vm + "|/generalize", Action: TypeVM + "/generalize/action", Handle: generalize},
		{Method: http.MethodPost, Pattern: vm + "|/runCommand", Action: TypeVM + "/runCommand/action", Handle: runCommand},
		{Method: http.MethodDelete, Pattern: vm, Action: TypeVM + "/delete", Handle: fabric.RemoveDocument(deletion)},

		get(sub+disks, TypeDisk+"/read", fabric.ListDocuments(TypeDisk)),
		get(group+disks, TypeDisk+"/read", fabric.ListDocuments(TypeDisk)),
		{Method: http.MethodGet, Pattern: group + disks + "/{name}", Action: TypeDisk + "/read", Handle: fabric.GetDocument},
		{Method: http.MethodPut, Pattern: group + disks + "/{name}", Action: TypeDisk + "/write", Handle: putDisk},
		{Method: http.MethodPatch, Pattern: group + disks + "/{name}", Action: TypeDisk + "/write", Handle: patchDisk},
		{Method: http.MethodDelete, Pattern: group + disks + "/{name}", Action: TypeDisk + "/delete", Handle: fabric.RemoveDocument(diskDeletion)},

		get(sub+"/providers/Microsoft.Compute/skus", rp+"skus/read", listSKUs),
		get(loc+"/vmSizes", rp+"locations/vmSizes/read", listSizes),
		get(loc+"/virtualMachines", TypeVM+"/read", listByLocation),
		get(loc+"/runCommands", rp+"locations/runCommands/read", listCommands),
		get(loc+"/runCommands/{command}", rp+"locations/runCommands/read", getCommand),
		get(loc+"/usages", rp+"locations/usages/read", listUsages),
		get(images, rp+"locations/publishers/read", level(func(i Image) string { return i.Publisher }).list),
		get(images+"/{publisher}/artifacttypes/vmimage/offers", rp+"locations/publishers/read", level(func(i Image) string { return i.Offer }).list),
		get(images+"/{publisher}/artifacttypes/vmimage/offers/{offer}/skus", rp+"locations/publishers/read", level(func(i Image) string { return i.SKU }).list),
		get(images+"/{publisher}/artifacttypes/vmimage/offers/{offer}/skus/{sku}/versions", rp+"locations/publishers/read", level(func(i Image) string { return i.Version }).list),
		get(images+"/{publisher}/artifacttypes/vmimage/offers/{offer}/skus/{sku}/versions/{version}", rp+"locations/publishers/read", getImage),
	}
	for _, a := range actions() {
		routes = append(routes, fabric.Route{Method: http.MethodPost, Pattern: vm + "|/" + a.name, Action: TypeVM + "/" + a.name + "/action", Handle: a.handle})
	}
	return routes
}
