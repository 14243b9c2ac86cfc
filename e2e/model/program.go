package model

import "slices"

// Places in programs, after the look.
const (
	atLook   = 0
	atPut    = 1 // create asks for the machine
	atGrant  = 2 // and gives it the right to deallocate itself
	atTag    = 3 // stop and start write tags
	atPower  = 4 // and ask for the change of power
	atEdit   = 5 // label and rename write tags
	atDelete = 6 // a machine is deleted
	atRevoke = 7 // and its role assignments are removed
	atGroup  = 8 // cleanup deletes the group
	atName   = 9 // create and rename look whether a host's new name is the only one
)

// program carries out one step of a command: a look, or a write.
type program struct {
	w     *World
	t     *thread
	c     Command
	alone bool // no other command runs, and nothing cuts this one short
	also  []branch
}

func (p *program) end(o Outcome) { p.t.ended = o }

func (p *program) step() {
	if p.c.malformed() {
		p.end(Usage)
		return
	}
	switch p.c.Verb {
	case Create:
		p.create()
	case Stop, Start:
		p.power()
	case Destroy:
		p.destroy()
	case Label, Rename, RenameHost:
		p.edit()
	case GC:
		p.collect()
	case Prepare:
		p.w.Prepared = true
		p.end(OK)
	case Cleanup:
		p.cleanup()
	case Finish:
		p.finish()
	}
}

func (p *program) create() {
	name := p.c.Host
	if name == "" {
		name = p.c.Target
	}
	switch p.t.at {
	case atLook:
		p.lookToCreate(name)
	case atDelete: // the failed one goes first
		p.w.remove(p.t.serial)
		if p.alone {
			p.w.revoked(name)
		}
		p.t.at = atPut
	case atPut:
		if !p.w.Prepared {
			p.end(Early)
			return
		}
		if p.w.find(func(h Host) bool { return h.Born == name }) != nil {
			p.end(Exists)
			return
		}
		h := Host{Born: name, Name: name, Owner: p.c.Operator, Agent: p.c.Target, Argv: p.c.Argv, Power: Running}
		if p.c.Key != "" {
			h.Labels = map[string]string{p.c.Key: p.c.Value}
		}
		p.t.serial, p.t.at = p.w.add(h), atGrant
	case atGrant:
		if h := p.w.serial(p.t.serial); h != nil {
			h.Granted = true
		}
		p.t.at = atName
	case atName:
		h := p.w.serial(p.t.serial)
		if h == nil || !p.namesake(h) {
			p.end(OK)
			return
		}
		p.t.old, p.t.at = h.Born, atRevoke
		p.w.remove(p.t.serial)
	case atRevoke:
		p.w.revoked(p.t.old)
		p.end(Exists)
	}
}

// namesake tells whether another host has the name of one.
func (p *program) namesake(h *Host) bool {
	return p.w.find(func(other Host) bool { return other.Serial != h.Serial && other.Name == h.Name }) != nil
}

func (p *program) lookToCreate(name string) {
	h := p.w.find(func(h Host) bool { return h.Name == name })
	sameAgent := p.w.find(func(h Host) bool { return h.Agent == p.c.Target && (p.c.Host == "" || h.Name == name) })
	switch {
	case !p.w.Prepared:
		p.end(NotPrepared)
	case h != nil && (!h.Finished || h.Power == NeverRan):
		p.resume(*h)
	case h != nil || sameAgent != nil:
		p.end(Exists)
	default:
		p.t.at = atPut
	}
}

// resume is a create that finds an unfinished host of its name.
func (p *program) resume(h Host) {
	switch own := h.Owner == p.c.Operator; {
	case h.Agent != p.c.Target:
		p.end(Exists)
	case own && h.Argv != p.c.Argv:
		p.end(Conflict)
	case h.Power == NeverRan:
		p.t.serial, p.t.at = h.Serial, atDelete
	case own:
		p.end(OK)
	default:
		p.end(Conflict)
	}
}

// named finds what a command is about; with several of the name it is refused.
func (p *program) named() *Host {
	var found []*Host
	for n := range p.w.Hosts {
		h := &p.w.Hosts[n]
		if p.c.ByHost || p.c.Verb == RenameHost {
			if h.Name == p.c.Target {
				found = append(found, h)
			}
		} else if h.Agent == p.c.Target {
			found = append(found, h)
		}
	}
	switch len(found) {
	case 0:
		p.end(NotFound)
		return nil
	case 1:
		return found[0]
	}
	p.end(Usage)
	return nil
}

func (p *program) power() {
	if p.t.at == atLook {
		if h := p.named(); h != nil {
			p.lookToSwitch(*h)
		}
		return
	}
	h := p.w.serial(p.t.serial)
	if h == nil {
		p.end(Early)
		return
	}
	if p.t.at == atTag {
		if p.t.tagged {
			h.StoppedBy = p.c.Verb == Stop
		}
		p.t.at = atPower
		return
	}
	h.Power = Deallocated
	if p.c.Verb == Start {
		h.Power = Running
	}
	p.end(OK)
}

func (p *program) lookToSwitch(h Host) {
	p.t.serial, p.t.at = h.Serial, atTag
	switch {
	case p.c.Verb == Stop && h.Power == Deallocated:
		p.end(OK)
	case p.c.Verb == Stop && h.Power == NeverRan:
		p.end(Early) // what Azure makes of that is not known
		stopped := p.w.Clone()
		stopped.serial(h.Serial).Power = Deallocated
		t := *p.t
		t.ended = OK
		p.also = append(p.also, branch{stopped, t})
	case p.c.Verb == Stop:
		p.t.tagged = true
	case !h.Finished:
		p.end(Conflict)
	case h.Power == Running:
		p.end(Early) // its agents cannot be started: nobody answers
	default:
		p.t.tagged = h.StoppedBy
	}
}

func (p *program) destroy() {
	switch p.t.at {
	case atLook:
		h := p.named()
		switch {
		case p.t.ended == NotFound && p.c.Force:
			p.end(OK)
		case h == nil:
		case !p.c.Force:
			p.end(Refused)
		default:
			p.t.serial, p.t.old, p.t.at = h.Serial, h.Born, atDelete
		}
	case atDelete:
		p.w.remove(p.t.serial)
		p.t.at = atRevoke
	case atRevoke:
		p.w.revoked(p.t.old)
		p.end(OK)
	}
}

func (p *program) edit() {
	h := p.w.serial(p.t.serial)
	switch p.t.at {
	case atLook:
		p.lookToEdit()
	case atEdit:
		if h == nil {
			p.end(Early)
			return
		}
		p.t.old, p.t.at = h.Name, atName
		if p.rewrite(h); p.c.Verb != RenameHost {
			p.end(OK)
		}
	case atName:
		if h == nil || !p.namesake(h) {
			p.end(OK)
			return
		}
		if h.Name == p.c.Name {
			h.Name = p.t.old
		}
		p.end(Exists)
	}
}

func (p *program) lookToEdit() {
	h := p.named()
	if h == nil {
		return
	}
	p.t.serial, p.t.at = h.Serial, atEdit
	switch {
	case p.taken(h):
		p.end(Exists)
	case !h.Finished || h.Power == NeverRan:
		p.end(Conflict)
	}
}

// taken tells whether another one has the name that a rename gives.
func (p *program) taken(h *Host) bool {
	return p.w.find(func(other Host) bool {
		return other.Serial != h.Serial &&
			(p.c.Verb == Rename && other.Agent == p.c.Name || p.c.Verb == RenameHost && other.Name == p.c.Name)
	}) != nil
}

// rewrite changes a host's tags. Of two who give one name to two agents at the same moment
// both may have it: no request at Azure is about names.
func (p *program) rewrite(h *Host) {
	switch p.c.Verb {
	case Rename:
		h.Agent = p.c.Name
	case RenameHost:
		h.Name = p.c.Name
	case Label:
		if p.c.Value == "" {
			delete(h.Labels, p.c.Key)
			break
		}
		if h.Labels == nil {
			h.Labels = map[string]string{}
		}
		h.Labels[p.c.Key] = p.c.Value
	}
}

// collect removes unfinished hosts, and only with --force those that are young; all of the
// model's are.
func (p *program) collect() {
	if p.t.at == atLook {
		p.t.at = atDelete
		if p.c.Force {
			for _, h := range p.w.Hosts {
				if !h.Finished {
					p.t.rest = append(p.t.rest, h.Serial)
				}
			}
		}
	}
	if len(p.t.rest) == 0 {
		p.end(OK)
		return
	}
	serial := p.t.rest[0]
	p.t.rest = slices.Clone(p.t.rest[1:])
	h := p.w.serial(serial)
	if h == nil || h.Finished {
		return
	}
	if !p.alone { // another process of its machine may be at it
		p.also = append(p.also, branch{p.w.Clone(), *p.t})
	}
	born := h.Born
	p.w.remove(serial)
	if p.alone {
		p.w.revoked(born)
	}
}

func (p *program) cleanup() {
	switch {
	case len(p.w.Hosts) > 0:
		p.end(Refused)
	case p.t.at == atLook:
		p.t.at = atGroup
	default:
		p.w.Prepared, p.w.Stale = false, nil
		p.end(OK)
	}
}

func (p *program) finish() {
	p.end(OK)
	if h := p.named(); h != nil && h.Power == Running {
		h.Finished = true
		p.end(OK)
	}
	p.t.ended = OK
}
