package fabric

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/doc"
)

// Operation is a long-running operation. It is stored before its 201 or 202 is sent.
type Operation struct {
	ID           string        `json:"id"`
	Job          string        `json:"job"`    // what runs: a name given to Handle
	Target       string        `json:"target"` // resource id
	Family       Family        `json:"family"`
	Location     string        `json:"location"`
	Subscription string        `json:"subscription"`
	Principal    arm.Principal `json:"principal"`
	Input        doc.Object    `json:"input,omitempty"`
	Status       string        `json:"status"`
	Start        time.Time     `json:"start"`
	End          time.Time     `json:"end,omitzero"`
	Error        *arm.Error    `json:"error,omitempty"`
	Fate         *Fate         `json:"fate,omitempty"` // of a fault that its request met
	Cause        Cause         `json:"cause,omitzero"`
}

// Statuses of operations.
const (
	InProgress = "InProgress"
	Succeeded  = "Succeeded"
	Failed     = "Failed"
	Canceled   = "Canceled"
)

// keepOperations is how long a finished one is still answered: resume tokens of clients
// must find it.
const keepOperations = 24 * time.Hour

// Terminal tells whether the operation has ended.
func (op *Operation) Terminal() bool { return op.Status != InProgress }

// Job is what an operation does.
type Job struct {
	// Takes names the duration (see Durations) that the operation lasts at least; "" is none.
	Takes string
	// Prepare makes what an operation that fails leaves behind. nil: nothing. After a crash
	// it and Work run again, so both must be idempotent; both run without the lock.
	Prepare func(context.Context, Operation) error
	// Work may take long. nil: nothing.
	Work func(context.Context, Operation) error
	// Settle stores the outcome in the same transaction that ends the operation; err is
	// Work's. It is not called for an operation that was preempted.
	Settle func(tx *Tx, op Operation, err error)
}

// run is an operation under way in this process.
type run struct {
	cancel context.CancelFunc
	done   chan struct{}
}

// Handle names a job, before Resume.
func (w *World) Handle(name string, j Job) { w.jobs[name] = j }

// Begin stores an operation and starts it when the transaction is written.
func (t *Tx) Begin(op Operation) Operation {
	if op.ID == "" {
		op.ID = uuid.NewString()
	}
	op.Subscription = arm.ParseID(op.Target).Subscription
	op.Status, op.Start = InProgress, t.w.Now().UTC()
	if op.Cause == (Cause{}) {
		op.Cause = t.cause
	}
	t.putOp(&op)
	t.After(func() { t.w.launch(*t.w.ops[op.ID]) })
	return op
}

// Operation returns an operation by id, nil when unknown.
func (t *Tx) Operation(id string) *Operation { return t.w.ops[id] }

// Busy returns the operation in progress on a resource, nil when there is none.
func (t *Tx) Busy(id string) *Operation { return t.w.ops[t.w.busy[arm.Key(id)]] }

// Preempt ends the operation in progress on a resource, as a later write does.
// The texts are Azure's (azure-sdk-for-java#1783).
func (t *Tx) Preempt(id string) {
	op := t.Busy(id)
	if op == nil {
		return
	}
	ended := *op
	ended.Status, ended.End = Canceled, t.w.Now().UTC()
	ended.Error = arm.Errorf(http.StatusConflict, "OperationPreempted",
		"Operation execution has been preempted by a more recent operation.")
	t.putOp(&ended)
	if r := t.w.runs[op.ID]; r != nil {
		t.After(r.cancel)
	}
}

func (t *Tx) putOp(op *Operation) {
	w, key := t.w, arm.Key(op.Target)
	old, oldBusy := w.ops[op.ID], w.busy[key]
	t.undo = append(t.undo, func() {
		w.ops[op.ID], w.busy[key] = old, oldBusy
		if old == nil {
			delete(w.ops, op.ID)
		}
		if oldBusy == "" {
			delete(w.busy, key)
		}
	})
	w.ops[op.ID] = op
	if !op.Terminal() {
		w.busy[key] = op.ID
	} else if oldBusy == op.ID {
		delete(w.busy, key)
	}
	t.touched[opPrefix+op.ID] = true
	if op.Terminal() && t.w.Ended != nil && op.Cause.Action != "" {
		ended := *op
		t.After(func() { t.w.Ended(ended) })
	}
}

// launch runs an operation's job. Runs of one target follow each other, so that a driver
// never works twice on one machine. The lock is held.
func (w *World) launch(op Operation) {
	if w.ctx.Err() != nil {
		return
	}
	ctx, cancel := context.WithCancel(w.ctx)
	r := &run{cancel: cancel, done: make(chan struct{})}
	key := arm.Key(op.Target)
	before := w.last[key]
	w.runs[op.ID], w.last[key] = r, r
	w.tasks.Go(func() {
		defer func() {
			cancel()
			w.mu.Lock()
			delete(w.runs, op.ID)
			if w.last[key] == r {
				delete(w.last, key)
			}
			w.mu.Unlock()
			close(r.done)
		}()
		if before != nil {
			<-before.done
		}
		w.execute(ctx, op)
	})
}

func (w *World) execute(ctx context.Context, op Operation) {
	job := w.jobs[op.Job]
	var err error
	if job.Prepare != nil {
		err = job.Prepare(ctx, op)
	}
	if err == nil && job.Takes != "" {
		err = w.Settings.Sleep(ctx, job.Takes)
	}
	if err == nil {
		err = op.Fate.run(ctx, func() error {
			if job.Work == nil {
				return nil
			}
			return job.Work(ctx, op)
		})
	}
	if w.ctx.Err() != nil {
		return // the daemon ends; the operation is taken up at the next start
	}
	w.finish(job, op, err)
}

func (w *World) finish(job Job, op Operation, err error) {
	stored := w.Update(func(t *Tx) error {
		now := t.w.ops[op.ID]
		if now == nil || now.Terminal() {
			return nil
		}
		t.Because(Cause{Correlation: now.Cause.Correlation}) // what follows from it was not asked for by name
		ended := *now
		ended.Status, ended.End = Succeeded, w.Now().UTC()
		if err != nil {
			ended.Status, ended.Error = Failed, asError(err)
		}
		t.putOp(&ended)
		if job.Settle != nil {
			job.Settle(t, ended, err)
		}
		if f := ended.Fate; f != nil && f.Then != "" {
			t.After(func() { w.Befall(f.Then, ended.Target, ended.Cause.Fault) })
		}
		t.forget()
		return nil
	})
	if err != nil {
		w.Log.Warn("operation failed", "job", op.Job, "target", op.Target, "cause", err)
	}
	if stored != nil {
		w.Log.Error("the end of an operation was not stored", "job", op.Job, "target", op.Target, "cause", stored)
	}
}

// forget drops operations that ended long ago.
func (t *Tx) forget() {
	for id, op := range t.w.ops {
		if op.Terminal() && t.w.Now().Sub(op.End) > keepOperations {
			delete(t.w.ops, id)
			t.touched[opPrefix+id] = true
		}
	}
}

// Wait blocks until an operation that runs here has ended, and returns its error.
// The lock must not be held.
func (w *World) Wait(ctx context.Context, id string) error {
	w.mu.Lock()
	r := w.runs[id]
	w.mu.Unlock()
	if r != nil {
		select {
		case <-r.done:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if op := w.ops[id]; op != nil && op.Error != nil {
		return op.Error
	}
	return nil
}

func asError(err error) *arm.Error {
	var e *arm.Error
	if errors.As(err, &e) {
		return e
	}
	return arm.Errorf(http.StatusInternalServerError, "InternalExecutionError",
		"An internal execution error occurred. Please retry later. (%s)", strings.TrimSpace(err.Error()))
}
