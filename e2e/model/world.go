package model

import (
	"encoding/json"
	"maps"
	"slices"
)

// Power is what a machine does.
type Power string

// Powers. A machine whose creation failed has never run.
const (
	Running     Power = "running"
	Deallocated Power = "deallocated"
	NeverRan    Power = "never ran"
)

// Host is a host with its one agent.
type Host struct {
	Serial    int    // of no other host of the run
	Born      string // the name with which it was created, and its machine's
	Name      string
	ID        string // once it has been seen
	Owner     string // operator who created it
	Agent     string
	Argv      string
	Labels    map[string]string
	Finished  bool // its creation came to its end
	Power     Power
	StoppedBy bool // its tags say that a user stopped it
	Granted   bool // it has, for certain, the right to deallocate itself
}

// World is a resource group as the model has it.
type World struct {
	Prepared bool
	Hosts    []Host
	Stale    []string // machines by the names of birth, of which role assignments may be left
	Next     int      // serial of the next host
}

// Clone returns a copy that shares nothing.
func (w World) Clone() World {
	w.Hosts = slices.Clone(w.Hosts)
	for n := range w.Hosts {
		w.Hosts[n].Labels = maps.Clone(w.Hosts[n].Labels)
	}
	w.Stale = slices.Clone(w.Stale)
	return w
}

// key is the same for equal worlds.
func (w World) key() string {
	text, err := json.Marshal(w)
	if err != nil {
		panic(err) // a World is all plain data
	}
	return string(text)
}

func (w *World) serial(serial int) *Host {
	return w.find(func(h Host) bool { return h.Serial == serial })
}

func (w *World) find(is func(Host) bool) *Host {
	if n := slices.IndexFunc(w.Hosts, is); n >= 0 {
		return &w.Hosts[n]
	}
	return nil
}

func (w *World) add(h Host) int {
	w.Next++
	h.Serial = w.Next
	w.Hosts = append(w.Hosts, h)
	return h.Serial
}

// remove deletes a machine; who does that removes its role assignments afterwards.
func (w *World) remove(serial int) {
	h := w.serial(serial)
	if h == nil {
		return
	}
	if !slices.Contains(w.Stale, h.Born) {
		w.Stale = append(w.Stale, h.Born)
		slices.Sort(w.Stale)
	}
	w.Hosts = slices.DeleteFunc(w.Hosts, func(h Host) bool { return h.Serial == serial })
}

// revoked notes that no role assignment of a machine is left.
func (w *World) revoked(born string) {
	w.Stale = slices.DeleteFunc(w.Stale, func(s string) bool { return s == born })
}
