package fabric

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/store"
)

// keepOperations is how long a finished one is still answered: resume tokens of clients
// must find it. At most maxEnded are kept.
const (
	keepOperations = 24 * time.Hour
	maxEnded       = 50000
)

// operations are those that run, in memory, and those that have ended, in the store. The
// world's lock guards them.
type operations struct {
	store   *store.Store
	running map[string]*Operation // and, until a transaction is written, what it ended
	ended   []ended               // the oldest first
	runs    map[string]*run       // operations under way here, by id
	last    map[string]*run       // the newest run of a target, by key
	busy    map[string]string     // operation in progress on a target, by key
}

type ended struct {
	id string
	at time.Time
}

func newOperations(s *store.Store) operations {
	return operations{store: s, running: map[string]*Operation{}, runs: map[string]*run{}, last: map[string]*run{}, busy: map[string]string{}}
}

// load enters an operation of the store.
func (o *operations) load(id string) error {
	op, err := o.read(id)
	if err != nil {
		return err
	}
	if op.Terminal() {
		o.ended = append(o.ended, ended{id, op.End})
		return nil
	}
	o.running[id], o.busy[arm.Key(op.Target)] = op, id
	return nil
}

func (o *operations) sort() {
	slices.SortFunc(o.ended, func(a, b ended) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.id, b.id)) })
}

// get returns an operation by id, nil when unknown.
func (o *operations) get(id string) (*Operation, error) {
	if op := o.running[id]; op != nil {
		return op, nil
	}
	return o.read(id)
}

func (o *operations) read(id string) (*Operation, error) {
	data, err := o.store.Get(opPrefix + id)
	if err != nil || data == nil {
		return nil, err
	}
	op := &Operation{}
	if err := json.Unmarshal(data, op); err != nil {
		return nil, fmt.Errorf("read the operation %s: %w", id, err)
	}
	return op, nil
}

// written leaves an operation that has ended to the store.
func (o *operations) written(id string) {
	if op := o.running[id]; op != nil && op.Terminal() {
		delete(o.running, id)
		o.ended = append(o.ended, ended{id, op.End})
	}
}

// expired takes those off the list that ended too long ago. A clock that was set back
// keeps none for ever: there is room for so many only.
func (o *operations) expired(now time.Time) (ids []string) {
	for len(o.ended) > 0 && (now.Sub(o.ended[0].at) > keepOperations || len(o.ended) > maxEnded) {
		old := o.ended[0]
		o.ended = o.ended[1:]
		// A group's deletion has the same id again when the group is deleted again.
		if op, err := o.get(old.id); err == nil && op != nil && op.Terminal() && op.End.Equal(old.at) {
			ids = append(ids, old.id)
		}
	}
	return ids
}
