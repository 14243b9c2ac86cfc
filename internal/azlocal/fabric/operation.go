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
	Input        doc.Object    `json:"input,omitempty"`  // kept until the end: it may hold secrets
	Output       doc.Object    `json:"output,omitempty"` // what its Location answers in the end
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
	// Answer is the Work of an operation with an output.
	Answer func(context.Context, Operation) (doc.Object, error)
	// Failed looks, without the lock, at what an operation has left that failed, and adds it
	// to the error that Settle gets. nil: nothing.
	Failed func(context.Context, Operation, error) error
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
	if t.begun == "" {
		t.begun = op.ID
	}
	t.putOp(&op)
	t.After(func() {
		if begun := t.w.ops.running[op.ID]; begun != nil {
			t.w.launch(*begun)
		}
	})
	return op
}

// Operation returns an operation by id, nil when unknown.
func (t *Tx) Operation(id string) *Operation {
	op, err := t.w.ops.get(id)
	if err != nil {
		panic(err) // as for a document that cannot be read
	}
	return op
}

// Busy returns the operation in progress on a resource, nil when there is none.
func (t *Tx) Busy(id string) *Operation { return t.w.ops.running[t.w.ops.busy[arm.Key(id)]] }

// Preempt ends the operation in progress on a resource, as a later write does.
// The texts are Azure's (azure-sdk-for-java#1783).
func (t *Tx) Preempt(id string) {
	op := t.Busy(id)
	if op == nil {
		return
	}
	ended := *op
	ended.Status, ended.End, ended.Input = Canceled, t.w.Now().UTC(), nil
	ended.Error = arm.Errorf(http.StatusConflict, "OperationPreempted",
		"Operation execution has been preempted by a more recent operation.")
	t.putOp(&ended)
	if r := t.w.ops.runs[op.ID]; r != nil {
		t.After(r.cancel)
	}
}

func (t *Tx) putOp(op *Operation) {
	ops, key := &t.w.ops, arm.Key(op.Target)
	old, oldBusy := ops.running[op.ID], ops.busy[key]
	t.undo = append(t.undo, func() {
		ops.running[op.ID], ops.busy[key] = old, oldBusy
		if old == nil {
			delete(ops.running, op.ID)
		}
		if oldBusy == "" {
			delete(ops.busy, key)
		}
	})
	ops.running[op.ID] = op
	if !op.Terminal() {
		ops.busy[key] = op.ID
	} else if oldBusy == op.ID {
		delete(ops.busy, key)
	}
	t.touched[opPrefix+op.ID] = nil // encoded when it is written
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
	before := w.ops.last[key]
	w.ops.runs[op.ID], w.ops.last[key] = r, r
	w.tasks.Go(func() {
		defer func() {
			cancel()
			w.mu.Lock()
			delete(w.ops.runs, op.ID)
			if w.ops.last[key] == r {
				delete(w.ops.last, key)
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
		err = op.Fate.run(ctx, func() (err error) {
			switch {
			case job.Answer != nil:
				op.Output, err = job.Answer(ctx, op)
			case job.Work != nil:
				err = job.Work(ctx, op)
			}
			return err
		})
	}
	if err != nil && job.Failed != nil {
		err = job.Failed(ctx, op, err)
	}
	if w.ctx.Err() != nil {
		return // the daemon ends; the operation is taken up at the next start
	}
	w.finish(job, op, err)
}

// finish stores the outcome of an operation. On a full disk it tries until there is room:
// an operation whose end was not stored would be in progress for ever.
func (w *World) finish(job Job, op Operation, err error) {
	if err != nil {
		w.Log.Warn("operation failed", "job", op.Job, "target", op.Target, "cause", err)
	}
	for {
		stored := w.Update(func(t *Tx) error { return t.end(job, op, err) })
		if stored == nil {
			return
		}
		w.Log.Error("the end of an operation was not stored", "job", op.Job, "target", op.Target, "cause", stored)
		select {
		case <-time.After(storeAgain):
		case <-w.ctx.Done():
			return // the next start takes it up
		}
	}
}

// storeAgain is how long a write to the store that failed waits for its next try.
const storeAgain = time.Second

func (t *Tx) end(job Job, op Operation, err error) error {
	now := t.w.ops.running[op.ID]
	if now == nil || now.Terminal() {
		return nil
	}
	t.Because(Cause{Correlation: now.Cause.Correlation}) // what follows from it was not asked for by name
	ended := *now
	ended.Status, ended.End = Succeeded, t.w.Now().UTC()
	if err != nil {
		ended.Status, ended.Error = Failed, asError(err)
	}
	ended.Output = op.Output
	kept := ended
	kept.Input = nil
	t.putOp(&kept)
	if job.Settle != nil {
		job.Settle(t, ended, err)
	}
	if f := ended.Fate; f != nil && f.Then != "" {
		t.After(func() { t.w.Befall(f.Then, ended.Target, ended.Cause.Fault) })
	}
	for _, old := range t.w.ops.expired(t.w.Now()) {
		t.touched[opPrefix+old] = nil
	}
	return nil
}

// Wait blocks until an operation that runs here has ended, and returns its error.
// The lock must not be held.
func (w *World) Wait(ctx context.Context, id string) error {
	w.mu.Lock()
	r := w.ops.runs[id]
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
	op, err := w.ops.get(id)
	if err != nil {
		return err
	}
	if op != nil && op.Error != nil {
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
