package output

import (
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"mngr/internal/agent"
)

var _ agent.Progress = (*Progress)(nil).Phase

func TestProgressInAPipe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, out, errs := piped(Human)
		g := p.Progress()
		g.Phase("asking Azure for the machine")
		time.Sleep(2100 * time.Millisecond)
		g.Phase("waiting for the address")
		time.Sleep(10 * time.Second)
		g.Phase("waiting for the address") // the same phase goes on
		time.Sleep(55 * time.Second)
		synctest.Wait()
		p.Note("the address is %s", "127.1.2.3\x1b[2J")
		g.Phase("installing Docker")
		time.Sleep(time.Second)
		g.Fail()
		g.Done() // of no effect
		want := `  asking Azure for the machine (2.1s)
  … waiting for the address (30s so far)
  … waiting for the address (1m00s so far)
the address is 127.1.2.3\x1b[2J
  waiting for the address (1m05s)
! installing Docker (failed after 1s)
`
		if got := errs.String(); got != want {
			t.Errorf("standard error:\n%s\nwant:\n%s", got, want)
		}
		if out.String() != "" {
			t.Errorf("standard output: %q", out)
		}
	})
}

func TestProgressOnATerminal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, screen := onTerminal("")
		g := p.Progress()
		g.Phase("asking Azure")
		synctest.Wait()
		if got, want := screen.String(), "| asking Azure (0s)\n"; got != want {
			t.Errorf("at the start:\n%s\nwant:\n%s", got, want)
		}
		time.Sleep(1300 * time.Millisecond)
		synctest.Wait()
		if got, want := screen.String(), "/ asking Azure (1s)\n"; !strings.Contains(got, " asking Azure (1s)\n") || strings.Count(got, "\n") != 1 {
			t.Errorf("after 1.3 s:\n%s\nwant the like of:\n%s", got, want)
		}
		p.Note("a note")
		if err := p.Emit(Result{Human: p.text("a result\n")}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(700 * time.Millisecond)
		g.Phase("a phase whose name is far too long for this narrow terminal")
		time.Sleep(5 * time.Second)
		synctest.Wait()
		got := screen.String()
		if want := "a note\na result\n  asking Azure (2s)\n"; !strings.HasPrefix(got, want) {
			t.Errorf("after a note and a result:\n%s\nwant it to begin with:\n%s", got, want)
		}
		for line := range strings.Lines(got) {
			if len([]rune(strings.TrimSuffix(line, "\n"))) > 40 {
				t.Errorf("a live line would wrap: %q", line)
			}
		}
		g.Done()
		want := "a note\na result\n  asking Azure (2s)\n  a phase whose name is far too long for this narrow terminal (5s)\n"
		if got := screen.String(); got != want {
			t.Errorf("at the end:\n%s\nwant:\n%s", got, want)
		}
	})
}

func TestProgressQuietAndJSONL(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, out, errs := piped(Human)
		p.Quiet = true
		g := p.Progress()
		g.Phase("asking Azure")
		time.Sleep(time.Minute)
		p.Note("unheard")
		p.Warn("unheard", "unheard")
		g.Done()
		if out.String() != "" || errs.String() != "" {
			t.Errorf("quiet wrote %q and %q", out, errs)
		}

		p, out, errs = piped(JSONL)
		g = p.Progress()
		g.Phase("asking Azure")
		time.Sleep(1500 * time.Millisecond)
		g.Fail()
		if want := `{"event":"phase","phase":"asking Azure","elapsed_seconds":1.5,"failed":true}` + "\n"; out.String() != want || errs.String() != "" {
			t.Errorf("jsonl wrote %q and %q, want %q", out, errs, want)
		}
	})
}

// The mark belongs to the phase that failed or was interrupted, not to what follows.
func TestProgressMarksWhatFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _, errs := piped(Human)
		g := p.Progress()
		g.Phase("starting")
		g.Undo("undoing")
		g.Phase("deallocating")
		g.Interrupted("going on")
		g.Interrupted("")
		g.Done()
		want := "! starting (failed after 0s)\n  undoing (0s)\n! deallocating (interrupted after 0s)\n! going on (interrupted after 0s)\n"
		if errs.String() != want {
			t.Errorf("standard error:\n%s\nwant:\n%s", errs, want)
		}
		p, out, _ := piped(JSONL)
		g = p.Progress()
		g.Phase("starting")
		g.Interrupted("")
		g.Done()
		if want := `{"event":"phase","phase":"starting","elapsed_seconds":0,"failed":true,"interrupted":true}` + "\n"; out.String() != want {
			t.Errorf("jsonl wrote %q, want %q", out, want)
		}
	})
}

func TestProgressFromManyGoroutines(t *testing.T) {
	p, _, errs := piped(Human)
	g := p.Progress()
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 50 {
				g.Phase(strings.Repeat("x", i+1))
				p.Note("note")
			}
		})
	}
	wg.Wait()
	g.Done()
	for line := range strings.Lines(errs.String()) {
		if line != "note\n" && !strings.HasPrefix(line, "  x") {
			t.Fatalf("torn line %q", line)
		}
	}
	if got := strings.Count(errs.String(), "note\n"); got != 400 {
		t.Errorf("%d notes arrived, want 400", got)
	}
}

func TestTornTextIsNotOverwritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, screen := onTerminal("")
		g := p.Progress()
		g.Phase("working")
		synctest.Wait()
		if _, err := p.Stderr().Write([]byte("half ")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if _, err := p.Stderr().Write([]byte("a line\n")); err != nil {
			t.Fatal(err)
		}
		g.Done()
		if want := "half a line\n  working (1s)\n"; screen.String() != want {
			t.Errorf("screen:\n%s\nwant:\n%s", screen, want)
		}
	})
}

func TestSeconds(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", 40 * time.Millisecond: "0s", 400 * time.Millisecond: "0.4s", 12345 * time.Millisecond: "12.3s",
		61 * time.Second: "1m01s", 3*time.Hour + 5*time.Second: "180m05s",
	} {
		if got := seconds(d); got != want {
			t.Errorf("seconds(%s) = %s, want %s", d, got, want)
		}
	}
}
