package fleet

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"mngr/internal/agent"
	"mngr/internal/ctl"
	"mngr/internal/plain"
)

// maxAnswer bounds what a hostile container can make this process hold.
const maxAnswer = 4 << 20

// maxDetail is as much as a guest may say to explain an error.
const maxDetail = 16 << 10

// call sends one request to mngrd and reads its answer. An error of the guest's comes
// back as agent.Error, whose lines are what mngrd says in more than one.
func call(ctx context.Context, g Guest, r ctl.Request, progress agent.Progress) (ctl.Answer, error) {
	return exchange(ctx, g, r, strings.NewReader(""), &phases{report: progress})
}

// exchange is call with a stream that follows the request's line.
func exchange(ctx context.Context, g Guest, r ctl.Request, stream io.Reader, errs *phases) (ctl.Answer, error) {
	r.Version = ctl.Version
	request, err := json.Marshal(r)
	if err != nil {
		return ctl.Answer{}, fmt.Errorf("encode %s: %w", r.Op, err)
	}
	out := &limited{limit: maxAnswer}
	stdin := io.MultiReader(bytes.NewReader(append(request, '\n')), stream)
	exit, err := g.Run(ctx, Command{Line: "exec " + guestPath(r.Op) + " ctl", Stdin: stdin, Stdout: out, Stderr: errs})
	if err != nil {
		return ctl.Answer{}, fmt.Errorf("%s: %w", r.Op, err)
	}
	var a ctl.Answer
	if err := json.Unmarshal(out.Bytes(), &a); err != nil || a.Version == 0 {
		return ctl.Answer{}, fmt.Errorf("%s: mngrd ended with %d and no answer: %s", r.Op, exit, errs.last)
	}
	if a.Error != nil {
		return ctl.Answer{}, &agent.Error{Kind: agent.KindInternal, Err: a.Error, Cause: r.Op + ": " + plain.Line(a.Error.Message, maxLine), Lines: tail(a.Error.Detail)}
	}
	return a, nil
}

// tail is the end of what explains an error.
func tail(s string) string { return s[max(0, len(s)-maxDetail):] }

// ask is call for what a guest does within DeadlineGuestWork. What helps where it hangs, its
// caller knows.
func (f *Fleet) ask(ctx context.Context, g Guest, r ctl.Request, progress agent.Progress) (answer ctl.Answer, err error) {
	working, done := agent.Within(ctx, agent.DeadlineGuestWork, r.Op+": waiting for the guest's answer")
	defer done(&err)
	answer, err = call(working, g, r, progress)
	if err != nil && ctx.Err() == nil && agent.Passed(working) {
		err = &agent.Error{Kind: agent.KindUnreachable, Err: err}
	}
	return answer, err
}

// guestPath tells where mngrd lies: the operations of the machine are its own.
func guestPath(op string) string {
	if strings.HasPrefix(op, "host.") {
		return ctl.VMPath
	}
	return ctl.ContainerPath
}

// limited keeps the first bytes and drops the rest. The buffer is not embedded: its ReadFrom
// would be used in place of Write, by SSH connections for one, and knows no limit.
type limited struct {
	kept  bytes.Buffer
	limit int
	cut   bool // something was dropped
}

func (l *limited) Bytes() []byte  { return l.kept.Bytes() }
func (l *limited) String() string { return l.kept.String() }

func (l *limited) Write(p []byte) (int, error) {
	if room := l.limit - l.kept.Len(); room < len(p) {
		l.cut = true
		l.kept.Write(p[:max(room, 0)])
		return len(p), nil
	}
	return l.kept.Write(p)
}

// phases turns mngrd's progress lines into phases and keeps the last other line.
type phases struct {
	report agent.Progress
	output func(line string) // what other programs say; nil drops it
	line   []byte
	last   string
}

const maxLine = 4000

func (p *phases) Write(b []byte) (int, error) {
	for _, c := range b {
		switch {
		case c == '\n':
			p.flush()
		case len(p.line) < maxLine:
			p.line = append(p.line, c)
		}
	}
	return len(b), nil
}

func (p *phases) flush() {
	line := plain.Strip(string(p.line))
	p.line = p.line[:0]
	if phase, ok := strings.CutPrefix(line, ctl.ProgressPrefix); ok {
		if p.report != nil {
			p.report(phase)
		}
		return
	}
	if said, ok := strings.CutPrefix(line, ctl.OutputPrefix); ok {
		if p.output != nil {
			p.output(said)
		}
		return
	}
	if line != "" {
		p.last = line
	}
}

var _ io.Writer = (*phases)(nil)
