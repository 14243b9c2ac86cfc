package agent

import (
	"context"
	"sync"
	"time"
)

// Patience is told of a wait that nobody asked for and that has lasted, and since when;
// over ends it.
type Patience func(phase string, since time.Time) (over func())

type patienceKey struct{}

// WithPatience hands down who shows waits that Patiently begins.
func WithPatience(ctx context.Context, show Patience) context.Context {
	return context.WithValue(ctx, patienceKey{}, show)
}

// Patiently begins a wait for somebody who answers at once as a rule, and says so to whom
// WithPatience named, if anybody, once it has lasted for PatienceUnshown. over ends it.
func Patiently(ctx context.Context, phase string) (over func()) {
	show, ok := ctx.Value(patienceKey{}).(Patience)
	if !ok {
		return func() {}
	}
	var mu sync.Mutex
	end, ended, began := func() {}, false, time.Now()
	timer := time.AfterFunc(PatienceUnshown, func() {
		mu.Lock()
		defer mu.Unlock()
		if !ended {
			end = show(phase, began)
		}
	})
	return func() {
		timer.Stop()
		mu.Lock()
		defer mu.Unlock()
		if !ended {
			ended = true
			end()
		}
	}
}
