package compute

import (
	"context"
	"net/http"
	"strings"
	"time"

	"mngr/internal/azlocal/activity"
	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/fabric"
)

// simulateEviction is the request for an eviction: 204, then the machine goes.
func (p *Provider) simulateEviction(t *fabric.Tx, r *arm.Request) (*arm.Response, error) {
	if _, err := t.Find(r.ID); err != nil {
		return nil, err
	}
	if _, err := p.Evict(t, r.ID); err != nil {
		return nil, err
	}
	return arm.Reply(http.StatusNoContent, nil), nil
}

// Evict announces that the platform wants the capacity of a Spot machine back, and takes it
// when the notice is over. It returns that time. An eviction under way goes on.
func (p *Provider) Evict(t *fabric.Tx, id string) (time.Time, error) {
	d := t.Peek(id)
	switch {
	case d == nil:
		return time.Time{}, arm.NotFound(id)
	case !isSpot(d.Body):
		return time.Time{}, arm.Errorf(http.StatusConflict, "OperationNotAllowed",
			"Operation 'simulateEviction' is not allowed on VM '%s' since it is not an Azure Spot Virtual Machine.", arm.Name(id))
	case !powerOf(d).Billed():
		return time.Time{}, arm.Errorf(http.StatusConflict, "OperationNotAllowed",
			"Operation 'simulateEviction' is not allowed on VM '%s' since it is not allocated.", arm.Name(id))
	}
	at := t.World().Now().Add(t.World().Settings.Time(fabric.EvictionNotice))
	event, fresh := announce(t, d.ID, at)
	if fresh {
		t.After(func() { p.evictAt(d.ID, event, at) })
	}
	return at, nil
}

// evictAt waits out a notice. A guest that approves the event ends it before.
func (p *Provider) evictAt(id, event string, at time.Time) {
	p.world.Go(func(ctx context.Context) {
		timer := time.NewTimer(at.Sub(p.world.Now()))
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return // taken up at the next start
		}
		err := p.world.Update(func(t *fabric.Tx) error { return p.takeBack(t, id, event) })
		if err != nil {
			p.world.Log.Error("a machine was not evicted", "machine", id, "cause", err)
		}
	})
}

// takeBack begins the eviction that an event announced, as the machine's policy says. It
// does nothing when the event is over, or has begun.
func (p *Provider) takeBack(t *fabric.Tx, id, event string) error {
	now := events(t, id).Body.Obj("event")
	d := t.Get(id)
	if d == nil || now.Str("EventId") != event || now.Str("EventStatus") != "Scheduled" {
		return nil
	}
	if !powerOf(d).Billed() {
		over(t, id) // it was deallocated in time
		return nil
	}
	began(t, id)
	policy := d.Body.Str("properties", "evictionPolicy")
	t.After(func() {
		p.Record(activity.Entry{Time: t.World().Now().UTC(), Operation: "EvictSpotVM", Resource: d.ID, Status: http.StatusAccepted, Code: policy})
	})
	if strings.EqualFold(policy, evictDelete) {
		_, err := removeMachine(t, d, fabric.RemoveOptions{Force: true})
		return err
	}
	if busy := t.Busy(d.ID); busy != nil && busy.Job != jobDelete {
		t.Preempt(d.ID)
	}
	_, err := deallocation().begin(t, d, &arm.Request{})
	return err
}

// ResumeEvictions takes up, after a restart, the notices that were running.
func (p *Provider) ResumeEvictions() {
	p.world.View(func(t *fabric.Tx) {
		for _, d := range t.List(TypeVM+"/scheduledEvents", "") {
			event := d.Body.Obj("event")
			if event.Str("EventStatus") != "Scheduled" {
				continue
			}
			at, err := time.Parse(time.RFC3339Nano, d.Hidden.Str("notBefore"))
			if err == nil {
				p.evictAt(arm.Parent(d.ID), event.Str("EventId"), at)
			}
		}
	})
}
