package compute

import (
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/doc"
	"mngr/internal/azlocal/fabric"
	"mngr/internal/azlocal/resources"
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
		{"Debian", "debian-12", "12", "0.20250703.2162", "V1", 30},
		{"Debian", "debian-12", "12", "0.20250721.2176", "V1", 30},
		{"Debian", "debian-12", "12-gen2", "0.20250703.2162", "V2", 30},
		{"Debian", "debian-12", "12-gen2", "0.20250721.2176", "V2", 30},
		{"azlocal", "debian-12-docker", "12-gen2", "1.0.0", "V2", 30},
	}
}

// findImage returns the image of a reference; the version may be "latest". An older version
// than the newest is the same machine here.
func findImage(ref doc.Object) (Image, error) {
	all, version := Images(), ref.Str("version")
	for _, i := range slices.Backward(all) { // the newest first
		if strings.EqualFold(i.Publisher, ref.Str("publisher")) && strings.EqualFold(i.Offer, ref.Str("offer")) &&
			strings.EqualFold(i.SKU, ref.Str("sku")) && (version == i.Version || strings.EqualFold(version, "latest")) {
			return i, nil
		}
	}
	for _, part := range []string{"publisher", "offer", "sku", "version"} {
		if ref.Str("id") == "" && ref.Str(part) == "" {
			return Image{}, missing("imageReference." + part)
		}
	}
	if id := ref.Str("id"); id != "" {
		return Image{}, arm.Errorf(http.StatusNotFound, "NotFound", "The image '%s' was not found.", id).About("imageReference")
	}
	return Image{}, arm.Errorf(http.StatusNotFound, "PlatformImageNotFound",
		"The platform image '%s:%s:%s:%s' is not available. Verify that all fields in the storage profile are correct. For more details about storage profile information, please refer to https://aka.ms/storageprofile",
		ref.Str("publisher"), ref.Str("offer"), ref.Str("sku"), version).About("imageReference")
}

// level is one of the four of the catalogue: publishers, offers, skus, versions. They are
// bare arrays, not {"value": …}.
type level func(Image) string

func (name level) list(_ *fabric.Tx, r *arm.Request) (*arm.Response, error) {
	var names []string
	for _, i := range Images() {
		if i.within(r.Params) && !slices.Contains(names, name(i)) {
			names = append(names, name(i))
		}
	}
	if len(names) == 0 {
		return nil, noImage()
	}
	names, err := choose(names, r)
	if err != nil {
		return nil, err
	}
	rows := []doc.Object{}
	for _, n := range names {
		rows = append(rows, doc.Object{"location": resources.Normalize(r.Params["location"]), "name": n, "id": imageID(r, n)})
	}
	return arm.OK(rows), nil
}

var startsWith = regexp.MustCompile(`(?i)^\s*startswith\(\s*name\s*,\s*'([^']*)'\s*\)\s*$`)

// choose applies $filter, $orderby and $top to the names of a list.
func choose(names []string, r *arm.Request) ([]string, error) {
	if filter := r.Query.Get("$filter"); filter != "" {
		m := startsWith.FindStringSubmatch(filter)
		if m == nil {
			return nil, invalid("$filter", "The value '%s' of the query parameter $filter is invalid.", filter)
		}
		names = slices.DeleteFunc(names, func(n string) bool { return !strings.HasPrefix(strings.ToLower(n), strings.ToLower(m[1])) })
	}
	slices.Sort(names)
	switch order := strings.ToLower(strings.Join(strings.Fields(r.Query.Get("$orderby")), " ")); order {
	case "", "name", "name asc":
	case "name desc":
		slices.Reverse(names)
	default:
		return nil, invalid("$orderby", "The value '%s' of the query parameter $orderby is invalid.", r.Query.Get("$orderby"))
	}
	if top := r.Query.Get("$top"); top != "" {
		n, err := strconv.Atoi(top)
		if err != nil || n < 1 {
			return nil, invalid("$top", "The value '%s' of the query parameter $top is invalid.", top)
		}
		names = names[:min(n, len(names))]
	}
	return names, nil
}

// imageID is the id of an entry of the catalogue, in its usual spelling.
func imageID(r *arm.Request, name string) string {
	id := "/Subscriptions/" + r.Params["sub"] + "/Providers/Microsoft.Compute/Locations/" + resources.Normalize(r.Params["location"]) + "/Publishers/"
	for _, part := range []struct{ param, next string }{{"publisher", "/ArtifactTypes/VMImage/Offers/"}, {"offer", "/Skus/"}, {"sku", "/Versions/"}} {
		if v, ok := r.Params[part.param]; ok {
			id += v + part.next
		}
	}
	return id + name
}

func getImage(_ *fabric.Tx, r *arm.Request) (*arm.Response, error) {
	for _, i := range Images() {
		if i.within(r.Params) && i.Version == r.Params["version"] {
			return arm.OK(doc.Object{"location": resources.Normalize(r.Params["location"]), "name": i.Version, "id": imageID(r, i.Version), "properties": doc.Object{
				"osDiskImage": doc.Object{"operatingSystem": "Linux", "sizeInGb": i.DiskGB}, "dataDiskImages": []any{},
				"hyperVGeneration": i.Generation, "architecture": "x64", "automaticOSUpgradeProperties": doc.Object{"automaticOSUpgradeSupported": false},
				"replicaType": "Managed", "imageDeprecationStatus": doc.Object{"imageState": "Active"}, "features": []any{},
			}}), nil
		}
	}
	return nil, noImage()
}

func noImage() error {
	return arm.Errorf(http.StatusNotFound, "NotFound", "Artifact: VMImage was not found.")
}

func (i Image) within(params map[string]string) bool {
	for name, value := range map[string]string{"publisher": i.Publisher, "offer": i.Offer, "sku": i.SKU} {
		if want, ok := params[name]; ok && !strings.EqualFold(want, value) {
			return false
		}
	}
	return true
}
