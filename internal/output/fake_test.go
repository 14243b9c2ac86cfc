package output

import (
	"bytes"
	"strings"
	"sync"
)

// terminal is a screen that understands what a live line needs: carriage return,
// newline and "erase to the end of the line". It never scrolls.
type terminal struct {
	mu    sync.Mutex
	rows  [][]rune
	row   int
	col   int
	raw   bytes.Buffer
	state []byte // of an escape sequence under way
}

func (t *terminal) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.raw.Write(b)
	for _, r := range string(b) {
		t.put(r)
	}
	return len(b), nil
}

func (t *terminal) put(r rune) {
	for len(t.rows) <= t.row {
		t.rows = append(t.rows, nil)
	}
	if t.state != nil {
		t.state = append(t.state, byte(r))
		if r >= 'A' && r <= 'z' && r != '[' {
			if string(t.state) == "\x1b[K" {
				t.rows[t.row] = t.rows[t.row][:min(t.col, len(t.rows[t.row]))]
			}
			t.state = nil
		}
		return
	}
	switch r {
	case '\x1b':
		t.state = []byte{'\x1b'}
	case '\r':
		t.col = 0
	case '\n':
		t.row, t.col = t.row+1, 0
	default:
		line := t.rows[t.row]
		for len(line) <= t.col {
			line = append(line, ' ')
		}
		line[t.col] = r
		t.rows[t.row] = line
		t.col++
	}
}

// String is what a person sees.
func (t *terminal) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	lines := make([]string, len(t.rows))
	for i, row := range t.rows {
		lines[i] = strings.TrimRight(string(row), " ")
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n") + "\n"
}

// buffer is a pipe or a file.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// piped returns a printer whose streams are no terminals.
func piped(format Format) (p *Printer, out, err *buffer) {
	out, err = &buffer{}, &buffer{}
	s := Streams{In: strings.NewReader(""), Out: out, Err: err, Color: true, Width: func() int { return 40 }}
	return New(s, format, false), out, err
}

// onTerminal returns a printer whose two outputs are one terminal of 40 columns.
func onTerminal(input string) (*Printer, *terminal) {
	t := &terminal{}
	s := Streams{
		In: strings.NewReader(input), Out: t, Err: t, InTTY: true, OutTTY: true, ErrTTY: true,
		Color: true, Live: true, Width: func() int { return 40 },
	}
	return New(s, Human, false), t
}
