package arm

import "strings"

// ID is a resource id taken apart. Only resource groups and what lies in them, or
// directly in a subscription, have one; every part keeps its case.
type ID struct {
	Subscription string
	Group        string
	Namespace    string
	Types        []string
	Names        []string
}

// ParseID takes an id apart as far as it goes; what is missing stays empty. Of an
// extension resource, such as a role assignment on a machine, only the extension counts.
func ParseID(id string) ID {
	var p ID
	seg := Segments(id)
	for len(seg) >= 2 {
		switch strings.ToLower(seg[0]) {
		case "subscriptions":
			p.Subscription = seg[1]
		case "resourcegroups":
			p.Group = seg[1]
		case "providers":
			p.Namespace, p.Types, p.Names = seg[1], nil, nil
		default:
			p.Types, p.Names = append(p.Types, seg[0]), append(p.Names, seg[1])
		}
		seg = seg[2:]
	}
	if len(seg) == 1 && p.Namespace != "" {
		p.Types = append(p.Types, seg[0])
	}
	return p
}

// Type is "Microsoft.Network/virtualNetworks/subnets".
func (p ID) Type() string {
	switch {
	case p.Namespace != "":
		return p.Namespace + "/" + strings.Join(p.Types, "/")
	case p.Group != "":
		return TypeGroup
	}
	return ""
}

// TypeGroup is the type of resource groups, whose ids name no provider.
const TypeGroup = "Microsoft.Resources/resourceGroups"

// FullName is "vnet/subnet" for a child.
func (p ID) FullName() string { return strings.Join(p.Names, "/") }

// Name is the last name in an id.
func Name(id string) string {
	seg := Segments(id)
	if len(seg) == 0 {
		return ""
	}
	return seg[len(seg)-1]
}

// Parent is the id without its last type and name: the vnet of a subnet.
func Parent(id string) string {
	seg := Segments(id)
	if len(seg) < 2 {
		return ""
	}
	return "/" + strings.Join(seg[:len(seg)-2], "/")
}

// GroupID is the id of the resource group an id lies in.
func GroupID(id string) string {
	p := ParseID(id)
	if p.Group == "" {
		return ""
	}
	return "/subscriptions/" + p.Subscription + "/resourceGroups/" + p.Group
}

// Key folds an id, for ids compare without case.
func Key(id string) string { return strings.ToLower(strings.TrimRight(id, "/")) }

// Within tells whether id is scope or lies below it.
func Within(id, scope string) bool {
	id, scope = Key(id), Key(scope)
	return scope == "" || id == scope || strings.HasPrefix(id, scope+"/")
}

// Segments splits a path and drops empty segments: ARM serves "//subscriptions/x".
func Segments(path string) []string {
	return strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
}
