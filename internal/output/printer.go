package output

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strings"

	"mngr/internal/plain"
)

// Printer writes a command's results and its story. Its methods may be called from
// several goroutines.
type Printer struct {
	Streams
	Format Format
	Quiet  bool // no notes, warnings or progress; results and errors stay

	screen *screen
	waits  waits
}

// New returns a printer on the streams.
func New(s Streams, format Format, quiet bool) *Printer {
	return &Printer{Streams: s, Format: format, Quiet: quiet, screen: &screen{out: s.Out, err: s.Err}}
}

// Result is what a command answers, in each format.
type Result struct {
	Event string                  // JSONL: the value of the key "event"
	Data  any                     // a value that encodes to a JSON object
	Human func(w io.Writer) error // nil writes nothing
}

// Emit writes a result. With JSON it must be called once.
func (p *Printer) Emit(r Result) error {
	switch p.Format {
	case JSON:
		return p.object("", r.Data)
	case JSONL:
		return p.object(r.Event, r.Data)
	}
	if r.Human == nil {
		return nil
	}
	return p.screen.toOut(r.Human)
}

// Row writes one object of a JSONL stream that carries no "event", such as a row of
// `mngr list`.
func (p *Printer) Row(v any) error { return p.object("", v) }

func (p *Printer) object(event string, v any) error {
	data, err := object(event, v)
	if err != nil {
		return err
	}
	return p.screen.toOut(func(w io.Writer) error {
		_, err := w.Write(append(data, '\n'))
		return err
	})
}

// Note tells what happens, on standard error; quiet drops it.
func (p *Printer) Note(format string, args ...any) {
	if !p.Quiet {
		p.screen.line(plain.Escape(fmt.Sprintf(format, args...)))
	}
}

// Warn names something that is wrong but does not stop the command; quiet drops it.
// The hint may be empty.
func (p *Printer) Warn(cause, hint string) {
	if p.Quiet {
		return
	}
	p.screen.line(p.label("Warning: ", yellow) + plain.Escape(cause))
	if hint != "" {
		p.screen.line("hint: " + plain.Escape(hint))
	}
}

// WarnAll warns of several things that have no hint.
func (p *Printer) WarnAll(causes []string) {
	for _, c := range causes {
		p.Warn(c, "")
	}
}

// Text writes another program's lines to standard error, quiet or not: they belong to an
// error.
func (p *Printer) Text(lines string) {
	for line := range strings.SplitSeq(lines, "\n") {
		p.screen.line("    " + plain.Escape(line))
	}
}

// Stderr is a writer for text of other programs; what it writes does not tear the
// progress line.
func (p *Printer) Stderr() io.Writer { return writerFunc(p.screen.toErr) }

// Confirm asks a yes-no question on the terminal; anything but y or yes is no. The
// caller has checked Interactive.
func (p *Printer) Confirm(ctx context.Context, question string) (bool, error) {
	p.screen.pause()
	defer p.screen.resume()
	if _, err := fmt.Fprintf(p.Err, "%s [y/N] ", plain.Escape(question)); err != nil {
		return false, fmt.Errorf("ask: %w", err)
	}
	answer := make(chan string, 1)
	// A read of a terminal cannot be interrupted: on Ctrl-C it is left behind.
	go func() {
		line, _ := bufio.NewReader(p.In).ReadString('\n')
		answer <- line
	}()
	select {
	case <-ctx.Done():
		fmt.Fprintln(p.Err)
		return false, context.Cause(ctx)
	case line := <-answer:
		switch strings.ToLower(strings.TrimSpace(line)) {
		case "y", "yes":
			return true, nil
		}
		return false, nil
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }
