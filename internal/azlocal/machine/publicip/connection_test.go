package publicip

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"mngr/internal/azlocal/fault"
	"mngr/internal/azlocal/machine"
)

// pair returns both ends of a connection.
func pair(t *testing.T) (near, far *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	dialled, err := net.Dial("tcp4", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	accepted, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		dialled.Close()
		accepted.Close()
	})
	return dialled.(*net.TCPConn), accepted.(*net.TCPConn)
}

// spliced is a connection under way, from a user to a machine.
type spliced struct {
	*connection
	user, machine *net.TCPConn
	done          chan struct{}
}

func splice(t *testing.T, line func(cut func()) machine.Line) spliced {
	t.Helper()
	s := spliced{connection: &connection{}, done: make(chan struct{})}
	var inside *net.TCPConn
	s.user, s.client = pair(t)
	inside, s.machine = pair(t)
	s.lead(inside, line(s.reset))
	go func() {
		s.splice(t.Context())
		s.close()
		close(s.done)
	}()
	return s
}

func open(func()) machine.Line { return machine.Open{} }

// say sends text one way and wants to find it at the other end.
func say(t *testing.T, from, to *net.TCPConn, text string) {
	t.Helper()
	if _, err := io.WriteString(from, text); err != nil {
		t.Fatal(err)
	}
	hear(t, to, text)
}

func hear(t *testing.T, at *net.TCPConn, want string) {
	t.Helper()
	got := make([]byte, len(want))
	if _, err := io.ReadFull(at, got); err != nil || string(got) != want {
		t.Fatalf("heard %q, %v; want %q", got, err, want)
	}
}

// TestCutOff is a client that has said all it wants to say to a machine that lost its power
// and never answers.
func TestCutOff(t *testing.T) {
	s := splice(t, open)
	if err := s.user.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if n, err := s.machine.Read(make([]byte, 1)); n != 0 || err == nil {
		t.Fatalf("the machine reads %d bytes, %v", n, err)
	}
	s.close()
	<-s.done
}

// with lets a connection meet a book's faults.
func with(book *fault.Book) func(func()) machine.Line {
	return func(cut func()) machine.Line { return book.Connect(fault.Call{Operation: "tcp:22"}, cut) }
}

func add(t *testing.T, book *fault.Book, r fault.Rule) string {
	t.Helper()
	r.On = "tcp:22"
	added, err := book.Add(r)
	if err != nil {
		t.Fatal(err)
	}
	return added.ID
}

// TestCutAfterBytes lets exactly so many bytes pass, both ways together, and then resets
// both ends, without waiting for another byte.
func TestCutAfterBytes(t *testing.T) {
	book := fault.NewBook(time.Now)
	add(t, book, fault.Rule{Effect: fault.CutConnection, After: 10, Times: 1})
	s := splice(t, with(book))
	say(t, s.user, s.machine, "hello")
	if _, err := io.WriteString(s.machine, "world"); err != nil {
		t.Fatal(err)
	}
	if err := s.user.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	all, err := io.ReadAll(s.user)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal("the cut waits for another byte")
	}
	if string(all) != "world" && err == nil { // a reset may also throw away what was not read yet
		t.Errorf("the user heard %q, %v", all, err)
	}
	if _, err := s.machine.Read(make([]byte, 1)); err == nil || !strings.Contains(err.Error(), "reset") {
		t.Errorf("the machine's end: %v", err)
	}
	<-s.done
	next := splice(t, with(book))
	say(t, next.user, next.machine, "the next one passes whole")
}

// TestCutNow resets a connection on which nobody says anything.
func TestCutNow(t *testing.T) {
	book := fault.NewBook(time.Now)
	s := splice(t, with(book))
	say(t, s.user, s.machine, "hello")
	add(t, book, fault.Rule{Effect: fault.CutConnection, Now: true, Times: 1})
	for who, end := range map[string]*net.TCPConn{"user": s.user, "machine": s.machine} {
		if _, err := end.Read(make([]byte, 1)); err == nil || !strings.Contains(err.Error(), "reset") {
			t.Errorf("the %s's end: %v", who, err)
		}
	}
	<-s.done
}

// TestHang holds back what is said, and hands it on when the fault is gone.
func TestHang(t *testing.T) {
	book := fault.NewBook(time.Now)
	s := splice(t, with(book))
	say(t, s.user, s.machine, "before")
	id := add(t, book, fault.Rule{Effect: fault.HangConnection, Now: true})
	if _, err := io.WriteString(s.user, "during"); err != nil {
		t.Fatal(err)
	}
	if err := s.machine.SetReadDeadline(time.Now().Add(100 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if n, err := s.machine.Read(make([]byte, 1)); n != 0 || err == nil {
		t.Errorf("%d bytes passed, %v", n, err)
	}
	if err := s.machine.SetReadDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	if _, err := book.Remove(id); err != nil {
		t.Fatal(err)
	}
	hear(t, s.machine, "during")

	// One that hangs for ever ends with its address.
	add(t, book, fault.Rule{Effect: fault.HangConnection, Now: true})
	if _, err := io.WriteString(s.user, "lost"); err != nil {
		t.Fatal(err)
	}
	s.close()
	<-s.done
	if _, err := book.Connect(fault.Call{Operation: "tcp:22"}, func() {}).Pass(canceled(t), 1); err == nil {
		t.Error("a connection made while the fault lasts does not hang")
	}
}

func canceled(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}
