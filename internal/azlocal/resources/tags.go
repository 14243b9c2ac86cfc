package resources

import (
	"net/http"
	"strings"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/doc"
	"mngr/internal/azlocal/fabric"
)

func getTags(t *fabric.Tx, r *arm.Request) (*arm.Response, error) {
	d, err := tagged(t, r)
	if err != nil {
		return nil, err
	}
	return arm.OK(tagsBody(d, d.Tags())), nil
}

// putTags replaces all tags; patchTags merges, replaces or deletes as "operation" says.
func putTags(t *fabric.Tx, r *arm.Request) (*arm.Response, error) { return writeTags(t, r, "Replace") }

func patchTags(t *fabric.Tx, r *arm.Request) (*arm.Response, error) {
	return writeTags(t, r, r.Body.Str("operation"))
}

func writeTags(t *fabric.Tx, r *arm.Request, operation string) (*arm.Response, error) {
	d, err := tagged(t, r)
	if err != nil {
		return nil, err
	}
	given, err := arm.ReadTags(r.Body.Obj("properties"))
	if err != nil {
		return nil, err
	}
	tags := d.Tags()
	switch strings.ToLower(operation) {
	case "replace":
		tags = given
	case "merge":
		for name, value := range given {
			tags[spelled(tags, name)] = value
		}
	case "delete":
		for name, value := range given {
			if old := spelled(tags, name); tags[old] == value || value == "" {
				delete(tags, old)
			}
		}
	default:
		return nil, arm.Gatewayf(http.StatusBadRequest, "InvalidRequestContent",
			"The request content was invalid: the operation '%s' is not one of Merge, Replace, Delete.", operation)
	}
	if err := arm.CheckTags(tags); err != nil {
		return nil, err
	}
	if err := t.SetTags(d, tags); err != nil {
		return nil, err
	}
	return arm.OK(tagsBody(d, tags)), nil
}

func deleteTags(t *fabric.Tx, r *arm.Request) (*arm.Response, error) {
	d, err := tagged(t, r)
	if err != nil {
		return nil, err
	}
	if err := t.SetTags(d, map[string]string{}); err != nil {
		return nil, err
	}
	return arm.OK(nil), nil
}

// tagged is the resource, group or subscription that a tags request is about. Types that are not
// tracked have no tags.
func tagged(t *fabric.Tx, r *arm.Request) (*fabric.Document, error) {
	scope := t.Spell(r.Params["scope"])
	p := arm.ParseID(scope)
	d := t.Get(scope)
	k := t.World().KindOf(scope)
	switch {
	case p.Namespace == "" && p.Group == "" && p.Subscription != "":
		if d == nil {
			d = &fabric.Document{ID: scope, Body: doc.Object{}}
		}
		return d, nil
	case p.Namespace == "" && p.Group != "" && d == nil:
		return nil, arm.GroupNotFound(p.Group)
	case d == nil:
		return nil, arm.NotFound(scope)
	case p.Namespace != "" && (k == nil || !k.Tracked):
		return nil, arm.Gatewayf(http.StatusBadRequest, "InvalidTagScope", "The resource type '%s' does not support tags.", p.Type())
	}
	return d, nil
}

// spelled is how a tag's name is already spelled, since names compare without case.
func spelled(tags map[string]string, name string) string {
	for k := range tags {
		if strings.EqualFold(k, name) {
			return k
		}
	}
	return name
}

func tagsBody(d *fabric.Document, tags map[string]string) doc.Object {
	return doc.Object{"id": d.ID + "/providers/Microsoft.Resources/tags/default", "name": "default",
		"type": "Microsoft.Resources/tags", "properties": doc.Object{"tags": doc.OfStrings(tags)}}
}
