package compute

import (
	"context"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/fabric"
	"mngr/internal/azlocal/machine"
)

// reimage makes a machine again from its image; nothing that it had on its disk stays.
func reimage(ctx context.Context, d machine.Driver, s machine.Spec, r []machine.Rule, _ bool) error {
	if err := d.Delete(ctx, s.Key); err != nil {
		return err
	}
	return create(ctx, d, s, r)
}

// renewDisk gives a machine that is made again a new OS disk. The old one goes or stays, as
// its deleteOption says (SDK: BeginReimage).
func renewDisk(t *fabric.Tx, d *fabric.Document, r *arm.Request) error {
	spell(r.Body)
	storage := d.Body.Obj("properties", "storageProfile")
	if version := r.Body.Str("exactVersion"); version != "" {
		wanted := storage.Obj("imageReference").Clone()
		wanted["version"] = version
		if _, err := findImage(wanted); err != nil {
			return err
		}
		storage.Set(version, "imageReference", "exactVersion")
	}
	if err := renewProfile(t, d, r); err != nil {
		return err
	}
	old, disk := diskID(d), storage.Obj("osDisk")
	disk["name"] = d.Body.Str("name") + "_disk1_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	delete(disk.Obj("managedDisk"), "id")
	makeDisk(t, d)
	if left := letGo(t, d.ID, old); left != nil && goes(disk) {
		t.Begin(fabric.Operation{Job: jobCascade, Target: left.ID, Family: fabric.ComputeFamily, Location: d.Body.Str("location"), Principal: r.Principal})
	}
	return nil
}

// renewProfile takes the custom data and the password for the machine made again.
func renewProfile(t *fabric.Tx, d *fabric.Document, r *arm.Request) error {
	profile := r.Body.Obj("osProfile")
	if err := checkData("customData", profile["customData"], badCustomData); err != nil {
		return err
	}
	if password := profile.Str("adminPassword"); password != "" {
		if d.Body.Bool("properties", "osProfile", "linuxConfiguration", "disablePasswordAuthentication") {
			return arm.Errorf(http.StatusBadRequest, "InvalidParameter", "Parameter 'adminPassword' is not allowed.").About("adminPassword")
		}
		if !strongPassword(password) {
			return weakPassword()
		}
		notePassword(d, password)
	}
	if data := profile.Str("customData"); data != "" {
		return t.Keep(d.ID, customData, data)
	}
	return nil
}
