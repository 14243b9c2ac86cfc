package permission

import "slices"

// Permission is one action of Azure's, and why it is asked for.
type Permission struct {
	Action  string
	For     []string // the commands that need it
	Without string   // what becomes of them without it

	roles bool // about roles, which are not everybody's to touch
	when  when
}

// when says for which kind of resource group a permission is needed.
type when int

const (
	always   when = iota
	own           // the group is mngr's, or the permission is none on a group
	existing      // somebody else made it
)

// Part is a kind of work that one person may do and another not.
type Part struct {
	Name        string
	About       string // for whom it is without options, as the object of "rights for"
	AtGroup     bool   // the resource group suffices; else the subscription
	Permissions []Permission
}

// Names of the parts.
const (
	Prepare = "prepare"
	Cleanup = "cleanup"
	Daily   = "daily"
	Lookups = "lookups"
)

// Parts lists all parts, in the order in which they are usually given away.
func Parts() []Part {
	return []Part{
		{Name: Prepare, About: "mngr azure prepare, which makes the group, its network and the role of idle machines", Permissions: prepare()},
		{Name: Cleanup, About: "mngr azure cleanup, the way back", Permissions: cleanup()},
		{Name: Daily, About: "daily use: create, list, cost, connect, exec, stop, start, label, rename, destroy and gc", AtGroup: true, Permissions: daily()},
		{Name: Lookups, About: "what daily use looks up in the subscription, and can do without", Permissions: lookups()},
	}
}

// Find returns a part by its name.
func Find(name string) (Part, bool) {
	all := Parts()
	i := slices.IndexFunc(all, func(p Part) bool { return p.Name == name })
	if i < 0 {
		return Part{}, false
	}
	return all[i], true
}

// Options choose among a part's permissions.
type Options struct {
	WithoutRoles     bool // leave out what concerns roles and their assignment
	UseExistingGroup bool // the group is somebody else's, so that nothing is asked for beyond it
}

// needed are the actions of a part under the options, sorted.
func (p Part) needed(o Options) []string {
	var out []string
	for _, one := range p.Permissions {
		switch {
		case one.roles && o.WithoutRoles:
		case one.when == own && o.UseExistingGroup, one.when == existing && !o.UseExistingGroup:
		default:
			out = append(out, one.Action)
		}
	}
	slices.Sort(out)
	return out
}

// What prepare can make, as actions.
const (
	makeGroup = groups + "write"
	makeRole  = authorization + "roleDefinitions/write"
)

// Work is About as it is under the options: what prepare makes is what it may make.
func (p Part) Work(o Options) string {
	if p.Name != Prepare {
		return p.About
	}
	made := "the network in a resource group that others made"
	if slices.Contains(p.needed(o), makeGroup) {
		made = "the group and its network"
		if slices.Contains(p.needed(o), makeRole) {
			made = "the group, its network and the role of idle machines"
		}
	}
	return "mngr azure prepare, which makes " + made
}

// AssignsRoles tells whether a part gives roles to machines.
func (p Part) AssignsRoles(o Options) bool {
	return slices.Contains(p.needed(o), AssignRole)
}
