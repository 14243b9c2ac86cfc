package output

import (
	"bytes"
	"io"
	"sync"
)

// screen serialises what goes to the two output streams around one live line at the
// bottom of standard error.
type screen struct {
	mu     sync.Mutex
	out    io.Writer
	err    io.Writer
	live   string // the line on display, without a newline; "" for none
	paused bool   // something else owns the terminal
	torn   bool   // standard error stands in the middle of a line
}

const eraseLine = "\r\x1b[K"

// line writes a whole line to standard error. Errors of that stream have nowhere to go.
func (s *screen) line(text string) { _, _ = s.toErr([]byte(text + "\n")) }

func (s *screen) toErr(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.erase()
	n, err := s.err.Write(b)
	if n > 0 {
		s.torn = b[n-1] != '\n'
	}
	s.draw()
	return n, err
}

// toOut runs a writer of results. What it writes is buffered so that a failure leaves no
// half of a table.
func (s *screen) toOut(write func(io.Writer) error) error {
	var b bytes.Buffer
	if err := write(&b); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.erase()
	_, err := s.out.Write(b.Bytes())
	s.draw()
	return err
}

// show replaces the live line.
func (s *screen) show(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if text == s.live {
		return
	}
	s.erase()
	s.live = text
	s.draw()
}

func (s *screen) pause() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.erase()
	s.paused = true
}

func (s *screen) resume() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.paused = false
	s.draw()
}

func (s *screen) erase() {
	if s.live != "" && !s.paused && !s.torn {
		_, _ = io.WriteString(s.err, eraseLine)
	}
}

func (s *screen) draw() {
	if s.live != "" && !s.paused && !s.torn {
		_, _ = io.WriteString(s.err, s.live)
	}
}
