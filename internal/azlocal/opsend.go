package azlocal

import (
	"mngr/internal/azlocal/activity"
	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/compute"
	"mngr/internal/azlocal/fabric"
)

// recordEnd logs how an operation ended, and how long it took.
func (s *Server) recordEnd(op fabric.Operation) {
	e := activity.Entry{Time: op.End, Principal: op.Principal.ObjectID, Operation: op.Cause.Action, Resource: op.Target, Fault: op.Cause.Fault,
		ID: op.ID, Ended: activity.Outcome(op.Status), EndedMS: float64(op.End.Sub(op.Start).Microseconds()) / 1000, Correlation: op.Cause.Correlation}
	if op.Error != nil {
		e.EndedCode = op.Error.Code
	}
	s.record(e)
}

// nameMachines lets the log call the identities of machines by the machines' names.
func (s *Server) nameMachines() {
	s.world.View(func(t *fabric.Tx) {
		for _, d := range t.List(compute.TypeVM, "") {
			if p, ok := compute.Principal(d); ok {
				s.names.Store(p.ObjectID, arm.Name(d.ID))
			}
		}
	})
}
