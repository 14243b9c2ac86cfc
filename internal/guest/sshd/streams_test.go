package sshd

import (
	"bytes"
	"os"
	"testing"
	"time"
)

func TestPumpDeliversWhatIsThereAfterTheDeadline(t *testing.T) {
	r, w, err := os.Pipe()
	must(t, err)
	defer r.Close()
	defer w.Close() // held open, as by a background child
	_, err = w.Write(make([]byte, 60000))
	must(t, err)
	must(t, r.SetReadDeadline(time.Now().Add(-time.Second)))
	var out bytes.Buffer
	pump(&out, r)
	if out.Len() != 60000 {
		t.Fatalf("got %d bytes", out.Len())
	}
}

// refill puts as much into the pipe as is taken out of it.
type refill struct {
	to    *os.File
	total int
}

func (f *refill) Write(p []byte) (int, error) {
	f.total += len(p)
	return f.to.Write(p)
}

func TestPumpEndsThoughSomebodyWritesOn(t *testing.T) {
	r, w, err := os.Pipe()
	must(t, err)
	defer r.Close()
	defer w.Close()
	_, err = w.Write(make([]byte, 1000))
	must(t, err)
	must(t, r.SetReadDeadline(time.Now().Add(-time.Second)))
	f := &refill{to: w}
	pump(f, r)
	if f.total < pipeSize || f.total > 2*pipeSize {
		t.Fatalf("took %d bytes", f.total)
	}
}
