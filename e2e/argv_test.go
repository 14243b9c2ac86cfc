package e2e

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// argvLook is how often all processes are looked at: programs that get an argument live
// longer than that, as a rule.
const argvLook = 20 * time.Millisecond

// argvWatch looks for a text in the argument list of every process of this computer, those
// of its machines and their containers included, until the script ends.
type argvWatch struct {
	text []byte
	seen atomic.Pointer[string]
}

// argv watch TEXT begins to look; argv unseen runs at the end: first it shows that a program
// with the text would have been seen.
func newArgv() func(*testscript.TestScript, bool, []string) {
	var w *argvWatch
	return func(ts *testscript.TestScript, neg bool, args []string) {
		switch {
		case !neg && len(args) == 2 && args[0] == "watch":
			w = &argvWatch{text: []byte(args[1])}
			ctx, cancel := context.WithCancel(context.Background())
			var looking sync.WaitGroup
			looking.Go(func() { w.look(ctx) })
			ts.Defer(func() { cancel(); looking.Wait() })
		case !neg && len(args) == 1 && args[0] == "unseen" && w != nil:
			if line := w.seen.Load(); line != nil {
				ts.Fatalf("everybody could read: %q", *line)
			}
			ts.Check(w.control())
		default:
			ts.Fatalf("usage: argv watch TEXT, argv unseen")
		}
	}
}

// control runs a program with the text until it is seen.
func (w *argvWatch) control() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	program := exec.CommandContext(ctx, "sh", "-c", "read line; : "+string(w.text))
	hold, err := program.StdinPipe()
	if err != nil {
		return err
	}
	if err := program.Start(); err != nil {
		return err
	}
	tick := time.NewTicker(argvLook)
	defer tick.Stop()
	for w.seen.Load() == nil && ctx.Err() == nil {
		<-tick.C
	}
	_ = hold.Close()
	_ = program.Wait() // read has met the end of its input
	if w.seen.Load() == nil {
		return errors.New("a program with the text was not seen: the test shows nothing")
	}
	return nil
}

func (w *argvWatch) look(ctx context.Context) {
	tick := time.NewTicker(argvLook)
	defer tick.Stop()
	for w.seen.Load() == nil {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		lines, _ := filepath.Glob("/proc/[0-9]*/cmdline")
		for _, name := range lines {
			if line, err := os.ReadFile(name); err == nil && bytes.Contains(line, w.text) {
				w.seen.Store(new(string(line)))
			}
		}
	}
}
