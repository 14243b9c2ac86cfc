package sshd

import (
	"testing"
)

type closer struct{ closed bool }

func (c *closer) Close() error {
	c.closed = true
	return nil
}

func TestFullLobbyDropsTheOldest(t *testing.T) {
	l := lobby{limit: 2}
	a, b, c, d := &closer{}, &closer{}, &closer{}, &closer{}
	l.enter(a)
	leave := l.enter(b)
	l.enter(c)
	if !a.closed || b.closed || c.closed {
		t.Fatalf("after the third: %v %v %v", a.closed, b.closed, c.closed)
	}
	leave()
	l.enter(d)
	if b.closed || c.closed || d.closed {
		t.Fatalf("one has left, there was room: %v %v %v", b.closed, c.closed, d.closed)
	}
}
