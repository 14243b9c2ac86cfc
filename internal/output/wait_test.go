package output

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mngr/internal/agent"
)

var _ agent.Patience = (*Printer)(nil).Wait

func TestWaitInAPipe(t *testing.T) {
	for _, format := range []Format{Human, JSON, JSONL} {
		synctest.Test(t, func(t *testing.T) {
			p, out, errs := piped(format)
			listing := p.Wait("asking Azure", time.Now().Add(-3*time.Second))
			synctest.Wait()
			login := p.Wait("logging in", time.Now().Add(-3*time.Second))
			time.Sleep(35 * time.Second)
			synctest.Wait()
			login()
			synctest.Wait()
			listing()
			p.Note("found")
			want := "  … asking Azure (3s so far)\n  … logging in (3s so far)\n  … logging in (33s so far)\nfound\n"
			if errs.String() != want || out.String() != "" {
				t.Errorf("%s: standard error:\n%s\nwant:\n%s\nstandard output: %q", format, errs, want, out)
			}
		})
	}
}

func TestWaitOnATerminal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, screen := onTerminal("")
		over := p.Wait("asking Azure", time.Now().Add(-3*time.Second))
		time.Sleep(time.Second)
		synctest.Wait()
		if got := screen.String(); !strings.Contains(got, " asking Azure (4s)\n") {
			t.Errorf("a wait: %q", got)
		}
		over()
		if got := screen.String(); got != "\n" {
			t.Errorf("a wait that is over leaves %q", got)
		}
	})
}

// The wait that began last says most, whichever was shown first.
func TestTheYoungestWaitIsShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, screen := onTerminal("")
		login := p.Wait("logging in", time.Now().Add(-time.Second))
		listing := p.Wait("asking Azure", time.Now().Add(-2*time.Second))
		synctest.Wait()
		if got := screen.String(); !strings.Contains(got, " logging in (1s)\n") {
			t.Errorf("of two waits: %q", got)
		}
		login()
		synctest.Wait()
		if got := screen.String(); !strings.Contains(got, " asking Azure (2s)\n") {
			t.Errorf("of one wait: %q", got)
		}
		listing()
	})
}

// The display of a command has precedence, and shows a wait where it has no phase.
func TestWaitBesideTheDisplayOfACommand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, screen := onTerminal("")
		early := p.Wait("asking Azure", time.Now())
		g := p.Progress()
		synctest.Wait()
		if got := screen.String(); !strings.Contains(got, " asking Azure (0s)\n") {
			t.Errorf("without a phase: %q", got)
		}
		g.Phase("deallocating")
		time.Sleep(time.Second)
		synctest.Wait()
		if got := screen.String(); !strings.Contains(got, " deallocating (1s)\n") || strings.Contains(got, "asking") {
			t.Errorf("beside a phase: %q", got)
		}
		g.Done()
		early()
		late := p.Wait("asking again", time.Now())
		synctest.Wait()
		if got, want := screen.String(), "  deallocating (1s)\n| asking again (0s)\n"; got != want {
			t.Errorf("after the display: %q, want %q", got, want)
		}
		late()
		p.Quiet = true
		p.Wait("unheard", time.Now())()
		if got, want := screen.String(), "  deallocating (1s)\n"; got != want {
			t.Errorf("at the end: %q, want %q", got, want)
		}
	})
}
