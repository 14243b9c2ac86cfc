package resources

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/doc"
	"mngr/internal/azlocal/fabric"
)

// The tagNames of a subscription are the union of those that were predefined and those in use
// at resources, groups and the subscription itself, with how often each is in use ("Tags -
// List"). Only predefined ones are stored.

// usage counts uses by tag name and value; names compare without case.
type usage map[string]*tagUse

type tagUse struct {
	name   string
	values map[string]int
}

func (u usage) of(name string) *tagUse {
	key := strings.ToLower(name)
	if u[key] == nil {
		u[key] = &tagUse{name: name, values: map[string]int{}}
	}
	return u[key]
}

func tagUsage(t *fabric.Tx, sub string) usage {
	u := usage{}
	for _, d := range t.List("", sub) { // what has no type: among it the predefined names
		if isTagName(d.ID) {
			use := u.of(arm.Name(d.ID))
			for _, v := range d.Body.Strings("values") {
				use.values[v] = 0
			}
		}
	}
	if d := t.Peek(sub); d != nil {
		u.add(d)
	}
	for _, d := range t.Below(sub) {
		u.add(d)
	}
	return u
}

func (u usage) add(d *fabric.Document) {
	for name, value := range d.Tags() {
		u.of(name).values[value]++
	}
}

func isTagName(id string) bool {
	seg := arm.Segments(id)
	return len(seg) == 4 && strings.EqualFold(seg[2], "tagNames")
}

func (u *tagUse) total() int {
	n := 0
	for _, count := range u.values {
		n += count
	}
	return n
}

func count(n int) doc.Object { return doc.Object{"type": "Total", "value": n} }

func (u *tagUse) body(sub string) doc.Object {
	id := sub + "/tagNames/" + u.name
	values := []any{}
	for _, v := range slices.Sorted(maps.Keys(u.values)) {
		values = append(values, u.valueBody(id, v))
	}
	return doc.Object{"id": id, "tagName": u.name, "count": count(u.total()), "values": values}
}

func (u *tagUse) valueBody(id, value string) doc.Object {
	return doc.Object{"id": id + "/tagValues/" + value, "tagValue": value, "count": count(u.values[value])}
}

func listTagNames(t *fabric.Tx, r *arm.Request) (*arm.Response, error) {
	sub := "/subscriptions/" + r.Params["sub"]
	u, rows := tagUsage(t, sub), []doc.Object{}
	for _, key := range slices.Sorted(maps.Keys(u)) {
		rows = append(rows, u[key].body(sub))
	}
	return arm.List(r, rows), nil
}

func putTagName(t *fabric.Tx, r *arm.Request) (*arm.Response, error) {
	name := r.Params["tag"]
	if err := arm.CheckTags(map[string]string{name: ""}); err != nil {
		return nil, err
	}
	status, sub := http.StatusOK, "/subscriptions/"+r.Params["sub"]
	if t.Peek(r.ID) == nil {
		status = http.StatusCreated
		t.Put(&fabric.Document{ID: r.ID, Body: doc.Object{"values": []any{}}})
	}
	return arm.Reply(status, tagUsage(t, sub).of(name).body(sub)), nil
}

func putTagValue(t *fabric.Tx, r *arm.Request) (*arm.Response, error) {
	name, value := r.Params["tag"], r.Params["value"]
	d, err := predefined(t, r)
	if err != nil {
		return nil, err
	}
	if err := arm.CheckTags(map[string]string{name: value}); err != nil {
		return nil, err
	}
	status, values := http.StatusOK, d.Body.Strings("values")
	if !slices.Contains(values, value) {
		status = http.StatusCreated
		setValues(d, append(values, value))
		t.Put(d)
	}
	return arm.Reply(status, tagUsage(t, "/subscriptions/"+r.Params["sub"]).of(name).valueBody(d.ID, value)), nil
}

// predefined is the stored name that a request for one of its values is about.
func predefined(t *fabric.Tx, r *arm.Request) (*fabric.Document, error) {
	if d := t.Get("/subscriptions/" + r.Params["sub"] + "/tagNames/" + r.Params["tag"]); d != nil {
		return d, nil
	}
	return nil, arm.Gatewayf(http.StatusNotFound, "TagNameNotFound", "The tag name '%s' could not be found.", r.Params["tag"])
}

func setValues(d *fabric.Document, values []string) {
	list := []any{}
	for _, v := range values {
		list = append(list, v)
	}
	d.Body["values"] = list
}

// deleteTagName refuses while something has the tag or values are predefined for it.
func deleteTagName(t *fabric.Tx, r *arm.Request) (*arm.Response, error) {
	d := t.Peek(r.ID)
	if d == nil {
		return arm.Reply(http.StatusNoContent, nil), nil
	}
	use := tagUsage(t, "/subscriptions/"+r.Params["sub"]).of(r.Params["tag"])
	if use.total() > 0 || len(use.values) > 0 {
		return nil, arm.Gatewayf(http.StatusConflict, "TagNameInUse", "The tag name '%s' is in use and cannot be deleted.", r.Params["tag"])
	}
	t.Delete(d.ID)
	return arm.OK(nil), nil
}

func deleteTagValue(t *fabric.Tx, r *arm.Request) (*arm.Response, error) {
	d, err := predefined(t, r)
	value := r.Params["value"]
	if err != nil || !slices.Contains(d.Body.Strings("values"), value) {
		return arm.Reply(http.StatusNoContent, nil), nil
	}
	if tagUsage(t, "/subscriptions/"+r.Params["sub"]).of(r.Params["tag"]).values[value] > 0 {
		return nil, arm.Gatewayf(http.StatusConflict, "TagValueInUse", "The tag value '%s' is in use and cannot be deleted.", value)
	}
	setValues(d, slices.DeleteFunc(d.Body.Strings("values"), func(v string) bool { return v == value }))
	t.Put(d)
	return arm.OK(nil), nil
}
