package compute

import (
	"net/http"
	"time"

	"github.com/google/uuid"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/doc"
	"mngr/internal/azlocal/fabric"
)

// The scheduled events of a machine are a document beside it: what IMDS shows, and whether
// anybody has asked there yet. The machine's own document, and its ETag, stay as they are.
func eventsID(vm string) string { return vm + "/scheduledEvents/default" }

// eventsOff is how long the service of a machine stays on without being asked
// (documentation: scheduled-events).
const eventsOff = 24 * time.Hour

// ScheduledEvents is what IMDS answers. The first call switches the service on and sees no
// event yet.
func ScheduledEvents(t *fabric.Tx, vm string) doc.Object {
	d := events(t, vm)
	asked, err := time.Parse(time.RFC3339Nano, d.Hidden.Str("asked"))
	since := t.World().Now().Sub(asked)
	off := t.World().Settings.Scale(eventsOff)
	on := err == nil && since < off
	if !on || since > off/24 { // guests ask every second: not each call is noted
		d.Hidden["asked"] = t.World().Now().Format(time.RFC3339Nano)
		t.Put(d)
	}
	list := []any{}
	if event := d.Body.Obj("event"); on && event != nil {
		list = append(list, event.Clone())
	}
	return doc.Object{"DocumentIncarnation": d.Body.Int("incarnation"), "Events": list}
}

// StartEvents approves events by id, as a guest does that is ready: what was announced
// begins at once.
func (p *Provider) StartEvents(t *fabric.Tx, vm string, ids []string) error {
	event := events(t, vm).Body.Obj("event")
	for _, id := range ids {
		if event.Str("EventId") != id {
			return arm.Errorf(http.StatusBadRequest, "BadRequest", "No event with the id %s is scheduled", id)
		}
	}
	if len(ids) == 0 {
		return arm.Errorf(http.StatusBadRequest, "BadRequest", "StartRequests is missing or empty")
	}
	return p.takeBack(t, vm, event.Str("EventId"))
}

func events(t *fabric.Tx, vm string) *fabric.Document {
	if d := t.Get(eventsID(vm)); d != nil {
		return d
	}
	return &fabric.Document{ID: eventsID(vm), Body: doc.Object{"incarnation": float64(1)}, Hidden: doc.Object{}}
}

// announce shows a Preempt event until notBefore and returns its id. An event that is
// there already stays.
func announce(t *fabric.Tx, vm string, notBefore time.Time) (id string, fresh bool) {
	d := events(t, vm)
	if event := d.Body.Obj("event"); event != nil {
		return event.Str("EventId"), false
	}
	id = uuid.NewString()
	d.Body["event"] = doc.Object{"EventId": id, "EventType": "Preempt", "ResourceType": "VirtualMachine", "Resources": []any{arm.Name(vm)},
		"EventStatus": "Scheduled", "NotBefore": notBefore.UTC().Format(http.TimeFormat), "Description": "Virtual machine is being preempted.",
		"EventSource": "Platform", "DurationInSeconds": float64(-1)}
	d.Hidden["notBefore"] = notBefore.Format(time.RFC3339Nano)
	change(t, d)
	return id, true
}

// began shows an event as started; over takes it away.
func began(t *fabric.Tx, vm string) {
	d := events(t, vm)
	if event := d.Body.Obj("event"); event != nil {
		event["EventStatus"], event["NotBefore"] = "Started", ""
		change(t, d)
	}
}

func over(t *fabric.Tx, vm string) {
	d := t.Get(eventsID(vm))
	if d == nil || d.Body.Obj("event") == nil {
		return
	}
	delete(d.Body, "event")
	change(t, d)
}

func change(t *fabric.Tx, d *fabric.Document) {
	d.Body["incarnation"] = float64(d.Body.Int("incarnation") + 1)
	t.Put(d)
}
