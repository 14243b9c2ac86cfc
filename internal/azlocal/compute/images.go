package compute

import (
	"net/http"
	"strings"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/doc"
	"mngr/internal/azlocal/fabric"
)

// Image is a marketplace image.
type Image struct {
	Publisher, Offer, SKU, Version, Generation string
	DiskGB                                     int
}

// Images are those of the catalogue: Debian 12 as on Azure, and the same with Docker in
// it, which only the local Azure has.
func Images() []Image {
	return []Image{
		{"Debian", "debian-12", "12", "0.20250721.2176", "V1", 30},
		{"Debian", "debian-12", "12-gen2", "0.20250721.2176", "V2", 30},
		{"azlocal", "debian-12-docker", "12-gen2", "1.0.0", "V2", 30},
	}
}

// findImage returns the image of a reference; the version may be "latest".
func findImage(ref doc.Object) (Image, error) {
	for _, i := range Images() {
		v := ref.Str("version")
		if strings.EqualFold(i.Publisher, ref.Str("publisher")) && strings.EqualFold(i.Offer, ref.Str("offer")) &&
			strings.EqualFold(i.SKU, ref.Str("sku")) && (v == i.Version || strings.EqualFold(v, "latest")) {
			return i, nil
		}
	}
	return Image{}, arm.Errorf(http.StatusNotFound, "PlatformImageNotFound",
		"The platform image '%s:%s:%s:%s' is not available. Verify that all fields in the storage profile are correct. For more details about storage profile information, please refer to https://aka.ms/storageprofile",
		ref.Str("publisher"), ref.Str("offer"), ref.Str("sku"), ref.Str("version")).About("imageReference")
}

// listImages answers the four levels of the catalogue: publishers, offers, skus, versions.
// They are bare arrays, not {"value": …}.
func listImages(level func(Image) string) func(*fabric.Tx, *arm.Request) (*arm.Response, error) {
	return func(_ *fabric.Tx, r *arm.Request) (*arm.Response, error) {
		rows, seen := []doc.Object{}, map[string]bool{}
		for _, i := range Images() {
			name := level(i)
			if !i.within(r.Params) || seen[name] {
				continue
			}
			seen[name] = true
			rows = append(rows, doc.Object{"location": r.Params["location"], "name": name, "id": r.Path + "/" + name})
		}
		if len(rows) == 0 {
			return nil, arm.Errorf(http.StatusNotFound, "NotFound", "Artifact: VMImage was not found.")
		}
		return arm.OK(rows), nil
	}
}

func getImage(_ *fabric.Tx, r *arm.Request) (*arm.Response, error) {
	for _, i := range Images() {
		if i.within(r.Params) && i.Version == r.Params["version"] {
			return arm.OK(doc.Object{"location": r.Params["location"], "name": i.Version, "id": r.Path, "properties": doc.Object{
				"osDiskImage": doc.Object{"operatingSystem": "Linux", "sizeInGb": i.DiskGB}, "dataDiskImages": []any{},
				"hyperVGeneration": i.Generation, "architecture": "x64", "automaticOSUpgradeProperties": doc.Object{"automaticOSUpgradeSupported": false},
			}}), nil
		}
	}
	return nil, arm.Errorf(http.StatusNotFound, "NotFound", "Artifact: VMImage was not found.")
}

func (i Image) within(params map[string]string) bool {
	for name, value := range map[string]string{"publisher": i.Publisher, "offer": i.Offer, "sku": i.SKU} {
		if want, ok := params[name]; ok && !strings.EqualFold(want, value) {
			return false
		}
	}
	return true
}
