package network

import (
	"net/http"
	"time"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/doc"
	"mngr/internal/azlocal/fabric"
)

// Reserve keeps an interface for a machine whose create was refused: for a while nobody
// else gets it, and it cannot be deleted (karpenter-provider-azure#92).
func Reserve(t *fabric.Tx, nic, vm string) {
	d := t.Get(nic)
	if d == nil {
		return
	}
	if d.Hidden == nil {
		d.Hidden = doc.Object{}
	}
	until := t.World().Now().Add(t.World().Settings.Time(fabric.NICReservation))
	d.Hidden["reserved"] = doc.Object{"for": vm, "until": until.Format(time.RFC3339Nano)}
	t.Put(d)
}

// Release ends a reservation: the machine has the interface now.
func Release(t *fabric.Tx, nic string) {
	if d := t.Get(nic); d != nil && d.Hidden["reserved"] != nil {
		delete(d.Hidden, "reserved")
		t.Put(d)
	}
}

// CheckReserved refuses an interface that is reserved for another machine than vm; vm is ""
// for its deletion.
func CheckReserved(t *fabric.Tx, nic *fabric.Document, vm string) error {
	owner := nic.Hidden.Str("reserved", "for")
	until, err := time.Parse(time.RFC3339Nano, nic.Hidden.Str("reserved", "until"))
	if err != nil || arm.Key(owner) == arm.Key(vm) || !t.World().Now().Before(until) {
		return nil
	}
	return arm.Errorf(http.StatusBadRequest, "NicReservedForAnotherVm",
		"Nic(s) in request is reserved for another Virtual Machine for 180 seconds. Please provide another nic(s) or retry after 180 seconds. Reserved VM: %s", owner)
}
