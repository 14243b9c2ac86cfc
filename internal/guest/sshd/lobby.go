package sshd

import (
	"io"
	"slices"
	"sync"
)

// lobby holds the connections that are not logged in yet, oldest first. Who enters a full
// lobby pushes the oldest out: a real client logs in within a second, a flood does not.
type lobby struct {
	limit int

	mu      sync.Mutex
	waiting []io.Closer
}

// enter adds c until the returned function is called.
func (l *lobby) enter(c io.Closer) (leave func()) {
	l.mu.Lock()
	l.waiting = append(l.waiting, c)
	var oldest io.Closer
	if len(l.waiting) > l.limit {
		oldest = l.waiting[0]
		l.waiting = l.waiting[1:]
	}
	l.mu.Unlock()
	if oldest != nil {
		oldest.Close()
	}
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.waiting = slices.DeleteFunc(l.waiting, func(w io.Closer) bool { return w == c })
	}
}
