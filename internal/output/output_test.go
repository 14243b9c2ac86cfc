package output

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"mngr/internal/agent"
	"mngr/internal/plain"
)

func (p *Printer) text(s string) func(io.Writer) error {
	return func(w io.Writer) error { _, err := io.WriteString(w, s); return err }
}

// golden compares with a file in testdata; MNGR_UPDATE_GOLDEN=1 rewrites it.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if os.Getenv("MNGR_UPDATE_GOLDEN") == "1" {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

func agents() Table {
	return Table{
		Header: []string{"NAME", "STATE", "HOST", "HOST STATE"},
		Rows: [][]string{
			{"my-agent", "RUNNING", "my-agent", "RUNNING"},
			{"evil\x1b]0;owned\x07", "STOPPED", "日本語ホスト", "STOPPED"},
			{"an-agent-with-a-very-long-name-indeed", "", "h", "STOPPED_BILLING"},
		},
	}
}

func TestTableInAFile(t *testing.T) {
	p, out, _ := piped(Human)
	err := p.Emit(Result{Human: func(w io.Writer) error { return p.WriteTable(w, agents()) }})
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "table-file.txt", out.String())
	if strings.ContainsRune(out.String(), '\x1b') || !strings.Contains(out.String(), "an-agent-with-a-very-long-name-indeed") {
		t.Error("a file must hold whole cells and no escape sequences")
	}
}

func TestTableOnATerminal(t *testing.T) {
	p, screen := onTerminal("")
	err := p.Emit(Result{Human: func(w io.Writer) error { return p.WriteTable(w, agents()) }})
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "table-terminal.txt", screen.String())
	if !strings.HasPrefix(screen.raw.String(), "\x1b[1m") {
		t.Errorf("the header is not bold: %q", screen.raw.String()[:20])
	}

	p, screen = onTerminal("")
	p.Color = false // NO_COLOR
	if err := p.WriteTable(screen, agents()); err != nil || strings.ContainsRune(screen.raw.String(), '\x1b') {
		t.Errorf("without colour: %q, %v", screen.raw.String(), err)
	}
}

func TestFormats(t *testing.T) {
	r := Result{
		Event: "created",
		Data: struct {
			Name string `json:"name"`
		}{"a<b>\u009b2J\x1b\u202e"},
	}
	for format, want := range map[Format]string{
		Human: "Done.\n",
		JSON:  `{"name":"a<b>\u009b2J\u001b\u202e"}` + "\n",
		JSONL: `{"event":"created","name":"a<b>\u009b2J\u001b\u202e"}` + "\n",
	} {
		p, out, errs := piped(format)
		r.Human = p.text("Done.\n")
		if err := p.Emit(r); err != nil || out.String() != want || errs.String() != "" {
			t.Errorf("%s: wrote %q and %q, %v; want %q", format, out, errs, err, want)
		}
		if format == Human {
			continue
		}
		var back struct{ Name string }
		if err := json.Unmarshal([]byte(out.String()), &back); err != nil || back.Name != "a<b>\u009b2J\x1b\u202e" {
			t.Errorf("%s does not read back: %q, %v", format, back.Name, err)
		}
	}
	p, out, _ := piped(JSONL)
	if err := p.Emit(Result{Event: "gone", Data: struct{}{}}); err != nil || out.String() != `{"event":"gone"}`+"\n" {
		t.Errorf("an event without data: %q, %v", out, err)
	}
	for _, bad := range []any{nil, []int{1}, "x", func() {}} {
		if err := p.Emit(Result{Event: "x", Data: bad}); err == nil {
			t.Errorf("Emit(%T) must fail: it is no JSON object", bad)
		}
	}
	if err := p.Emit(Result{Event: "x", Data: map[string]int{"a": 1}}); err != nil {
		t.Errorf("Emit of a map: %v", err)
	}
	for _, f := range []string{"human", "json", "jsonl"} {
		if got, err := ParseFormat(f); err != nil || string(got) != f {
			t.Errorf("ParseFormat(%q) = %q, %v", f, got, err)
		}
	}
	if got, err := ParseFormat("{name}"); err != nil || got != Templated {
		t.Errorf("ParseFormat of a template = %q, %v", got, err)
	}
	for _, bad := range []string{"", "yaml", "template", "{name"} {
		if _, err := ParseFormat(bad); agent.KindOf(err) != agent.KindUsage {
			t.Errorf("ParseFormat(%q) = %v", bad, err)
		}
	}
}

func TestAFailedResultWritesNothing(t *testing.T) {
	p, out, _ := piped(Human)
	err := p.Emit(Result{Human: func(w io.Writer) error {
		fmt.Fprintln(w, "half a table")
		return errors.New("no more")
	}})
	if err == nil || out.String() != "" {
		t.Errorf("wrote %q, %v", out, err)
	}
}

func TestErrors(t *testing.T) {
	denied := agent.Errorf(agent.KindDenied, "create vm %q: forbidden\nsecond line\x1b[2J", "a").WithHint("ask for the role Contributor")
	joined := errors.Join(fmt.Errorf("stop b: %w", denied), agent.Errorf(agent.KindTimeout, "stop c: no answer"))
	for _, c := range []struct {
		name   string
		format Format
		err    error
		out    string
		stderr string
	}{
		{"human", Human, joined, "", "Error: stop b: create vm \"a\": forbidden; second line\\x1b[2J\nhint: ask for the role Contributor\nError: stop c: no answer\n"},
		{
			"json", JSON, denied, "",
			`{"event":"error","error_class":"denied","message":"create vm \"a\": forbidden; second line\u001b[2J","hint":"ask for the role Contributor"}` + "\n",
		},
		{"jsonl", JSONL, errors.New("what"), `{"event":"error","error_class":"internal","message":"what"}` + "\n", ""},
		{"silent exit", Human, &Exit{Code: 7}, "", ""},
		{"exit with a cause", Human, &Exit{Code: 255, Err: denied}, "", "Error: create vm \"a\": forbidden; second line\\x1b[2J\nhint: ask for the role Contributor\n"},
		{"deadline", JSONL, fmt.Errorf("wait: %w", context.DeadlineExceeded), `{"event":"error","error_class":"timeout","message":"wait: context deadline exceeded"}` + "\n", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, out, errs := piped(c.format)
			p.Quiet = true // errors are never dropped
			p.Error(c.err)
			if out.String() != c.out || errs.String() != c.stderr {
				t.Errorf("wrote\n%q\n%q\nwant\n%q\n%q", out, errs, c.out, c.stderr)
			}
		})
	}
	p, screen := onTerminal("")
	p.Error(denied)
	if !strings.HasPrefix(screen.raw.String(), "\x1b[") || !strings.HasPrefix(screen.String(), "Error: create") {
		t.Errorf("on a terminal: %q", screen.raw.String())
	}
}

func TestExitCode(t *testing.T) {
	e := func(k agent.Kind) error { return fmt.Errorf("doing: %w", agent.Errorf(k, "x")) }
	for _, c := range []struct {
		err  error
		want int
	}{
		{nil, 0},
		{errors.New("x"), 1},
		{e(agent.KindInternal), 1},
		{e(agent.KindUsage), 2},
		{e(agent.KindTimeout), 2},
		{fmt.Errorf("wait: %w", context.DeadlineExceeded), 2},
		{e(agent.KindRemains), 5},
		{e(agent.KindCredentials), 6},
		{e(agent.KindUnreachable), 6},
		{e(agent.KindCanceled), 130},
		{fmt.Errorf("wait: %w", context.Canceled), 130},
		{e(agent.KindNotFound), 1},
		{e(agent.KindExists), 1},
		{e(agent.KindNotPrepared), 1},
		{e(agent.KindDenied), 1},
		{e(agent.KindQuota), 1},
		{e(agent.KindNoCapacity), 1},
		{e(agent.KindConflict), 1},
		{e(agent.KindThrottled), 1},
		{e(agent.KindRefused), 1},
		{&Exit{Code: 7}, 7},
		{fmt.Errorf("exec: %w", &Exit{Code: 255, Err: e(agent.KindUnreachable)}), 255},
		{errors.Join(e(agent.KindNotFound), e(agent.KindUnreachable)), 6},
		{errors.Join(e(agent.KindTimeout), e(agent.KindRemains), e(agent.KindUnreachable)), 5},
		{fmt.Errorf("stop: %w", errors.Join(e(agent.KindUnreachable), e(agent.KindTimeout))), 2},
		// What an agent.Error says of its own counts, not what lies beneath.
		{&agent.Error{Kind: agent.KindDenied, Cause: "x", Err: errors.Join(e(agent.KindRemains))}, 1},
	} {
		if got := ExitCode(c.err); got != c.want {
			t.Errorf("ExitCode(%v) = %d, want %d", c.err, got, c.want)
		}
	}
}

func TestConfirm(t *testing.T) {
	for answer, want := range map[string]bool{"y\n": true, " YES \n": true, "\n": false, "": false, "n\n": false, "yeah\n": false} {
		p, screen := onTerminal(answer)
		got, err := p.Confirm(t.Context(), "Destroy my-agent\x1b?")
		if err != nil || got != want || !strings.HasPrefix(screen.String(), `Destroy my-agent\x1b? [y/N]`) {
			t.Errorf("answer %q: %v, %v, screen %q", answer, got, err, screen)
		}
	}
	p, _ := onTerminal("")
	silent, writer := io.Pipe() // a person who does not answer
	defer writer.Close()
	p.In = silent
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got, err := p.Confirm(ctx, "?"); got || !errors.Is(err, context.Canceled) {
		t.Errorf("after Ctrl-C: %v, %v", got, err)
	}
}

func TestWarn(t *testing.T) {
	p, out, errs := piped(JSON)
	p.Warn("SSH is open\nto all", "narrow it")
	if want := "Warning: SSH is open\\nto all\nhint: narrow it\n"; errs.String() != want || out.String() != "" {
		t.Errorf("wrote %q and %q, want %q on standard error", out, errs, want)
	}
}

func TestTruncate(t *testing.T) {
	for _, c := range []struct {
		s    string
		n    int
		want string
	}{{"abc", 3, "abc"}, {"abcd", 3, "ab…"}, {"日本語", 4, "日…"}, {"日本語", 5, "日本…"}, {"abc", 1, "…"}, {"", 0, ""}} {
		if got := Truncate(c.s, c.n); got != c.want {
			t.Errorf("Truncate(%q, %d) = %q, want %q", c.s, c.n, got, c.want)
		}
	}
}

// Every JSON object is one line that no terminal obeys.
func FuzzObject(f *testing.F) {
	for _, seed := range []string{"", "a\nb\tc\r", "\xff\xc2", "\u009b", "\u202e\u2066\u200f\ufeff", "\U000e0041"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		data, err := object("", map[string]string{"s": s})
		if err != nil || strings.IndexFunc(string(data), plain.Unsafe) >= 0 || !json.Valid(data) {
			t.Fatalf("JSON of %q is %q, %v", s, data, err)
		}
		var back map[string]string
		if err := json.Unmarshal(data, &back); err != nil || utf8.ValidString(s) && back["s"] != s {
			t.Fatalf("%q came back as %q, %v", s, back["s"], err)
		}
	})
}
