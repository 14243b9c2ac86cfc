package output

import (
	"io"
	"os"

	"golang.org/x/term"
)

// Streams are a process's standard streams and what is known of them.
type Streams struct {
	In  io.Reader
	Out io.Writer // results
	Err io.Writer // everything else

	InTTY, OutTTY, ErrTTY bool

	Color bool       // NO_COLOR is unset and the terminal can show colour
	Live  bool       // Err is a terminal that can rewrite a line
	Width func() int // columns of the terminal; never below 20; unused off a terminal
}

// System returns the streams of this process. getenv is os.Getenv.
func System(getenv func(string) string) Streams {
	able := getenv("TERM") != "dumb" && getenv("TERM") != ""
	s := Streams{
		In: os.Stdin, Out: os.Stdout, Err: os.Stderr,
		InTTY:  term.IsTerminal(int(os.Stdin.Fd())),
		OutTTY: term.IsTerminal(int(os.Stdout.Fd())),
		ErrTTY: term.IsTerminal(int(os.Stderr.Fd())),
		Color:  able && getenv("NO_COLOR") == "",
		Width:  width,
	}
	s.Live = s.ErrTTY && able
	return s
}

// Interactive tells whether a person can be asked.
func (s Streams) Interactive() bool { return s.InTTY && s.ErrTTY }

func width() int {
	for _, f := range []*os.File{os.Stdout, os.Stderr} {
		if w, _, err := term.GetSize(int(f.Fd())); err == nil && w > 0 {
			return max(w, 20)
		}
	}
	return 80
}
