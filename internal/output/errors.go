package output

import (
	"context"
	"errors"
	"slices"
	"strings"

	"mngr/internal/agent"
	"mngr/internal/plain"
)

// Exit codes of mngr. `exec` on one target answers with the remote command's own code.
const (
	CodeOK           = 0
	CodeFailed       = 1
	CodeUsage        = 2 // and a deadline that has passed
	CodeRemains      = 5 // something that costs money may be left
	CodeInaccessible = 6 // the provider could not be asked
	CodeInterrupted  = 130
	CodeExecFailed   = 255 // exec: mngr failed before the command ran
)

// Exit ends the program with a code of its own. A nil Err prints nothing: the command
// has said already what there is to say.
type Exit struct {
	Code int
	Err  error
}

func (e *Exit) Error() string {
	if e.Err == nil {
		return "exit"
	}
	return e.Err.Error()
}

// Unwrap returns what happened.
func (e *Exit) Unwrap() error { return e.Err }

// ExitCode maps an error to the code that the process ends with. Of several joined
// errors the worst counts: 5, 2, 6, 130, 1.
func ExitCode(err error) int {
	if err == nil {
		return CodeOK
	}
	if e, ok := errors.AsType[*Exit](err); ok {
		return e.Code
	}
	return worst(err)
}

// worst walks an error's tree; the first agent.Error on a branch speaks for the rest.
func worst(err error) int {
	switch e := err.(type) {
	case *agent.Error:
		return codeOf(kindOf(e))
	case interface{ Unwrap() []error }:
		code := CodeFailed
		for _, one := range e.Unwrap() {
			if c := worst(one); severity(c) > severity(code) {
				code = c
			}
		}
		return code
	case interface{ Unwrap() error }:
		if beneath := e.Unwrap(); beneath != nil {
			return worst(beneath)
		}
	}
	return codeOf(kindOf(err))
}

func codeOf(kind agent.Kind) int {
	switch kind {
	case agent.KindUsage, agent.KindTimeout:
		return CodeUsage
	case agent.KindRemains:
		return CodeRemains
	case agent.KindCredentials, agent.KindUnreachable:
		return CodeInaccessible
	case agent.KindCanceled:
		return CodeInterrupted
	}
	return CodeFailed
}

func severity(code int) int {
	return slices.Index([]int{CodeFailed, CodeInterrupted, CodeInaccessible, CodeUsage, CodeRemains}, code)
}

// kindOf is agent.KindOf for errors that may not have passed through a package of ours.
func kindOf(err error) agent.Kind {
	kind := agent.KindOf(err)
	switch {
	case kind != agent.KindInternal:
		return kind
	case errors.Is(err, context.DeadlineExceeded):
		return agent.KindTimeout
	case errors.Is(err, context.Canceled):
		return agent.KindCanceled
	}
	return kind
}

// split returns the errors that errors.Join has put together, at any depth. A join says
// nothing of its own; fmt.Errorf with several %w does, and stays whole.
func split(err error) []error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	parts := joined.Unwrap()
	texts := make([]string, len(parts))
	for i, part := range parts {
		texts[i] = part.Error()
	}
	if err.Error() != strings.Join(texts, "\n") {
		return []error{err}
	}
	var all []error
	for _, part := range parts {
		all = append(all, split(part)...)
	}
	return all
}

// Failure is an error as machines read it.
type Failure struct {
	Class   string `json:"error_class"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
	Code    string `json:"code,omitempty"`   // the provider's own word for it
	Detail  string `json:"detail,omitempty"` // the end of a log, in lines
}

// Failures describes an error, one entry for each that was joined.
func Failures(err error) []Failure {
	if e, ok := errors.AsType[*Exit](err); ok {
		err = e.Err
	}
	var all []Failure
	if err == nil {
		return all
	}
	for _, one := range split(err) {
		known := unwrapTo(one)
		all = append(all, Failure{
			Class: string(kindOf(one)), Message: oneLine(one.Error()),
			Hint: agent.HintOf(known), Code: agent.CodeOf(known), Detail: agent.LinesOf(known),
		})
	}
	return all
}

// unwrapTo strips wrappers in front of the first agent.Error.
func unwrapTo(err error) error {
	if e, ok := errors.AsType[*agent.Error](err); ok {
		return e
	}
	return err
}

func oneLine(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == '\n' || r == '\r' }), "; ")
}

// Error prints an error once, at the end of a command: one line of cause and one of
// remedy on standard error. As JSON the same goes to standard error as an object, so
// that standard output stays empty or whole; as JSONL it is an event of the stream on
// standard output.
func (p *Printer) Error(err error) {
	for _, f := range Failures(err) {
		switch p.Format {
		case JSON:
			if data, err := object("error", f); err == nil {
				p.screen.line(string(data))
			}
		case JSONL:
			if p.object("error", f) != nil { // standard output is closed: people are told
				p.tell(f)
			}
		default:
			p.tell(f)
		}
	}
}

// LastWord is Error for a process that ends now: the live line does not come back.
func (p *Printer) LastWord(err error) {
	p.screen.pause()
	p.Error(err)
}

// tell writes an error for people.
func (p *Printer) tell(f Failure) {
	p.screen.line(p.label("Error: ", red) + plain.Escape(f.Message))
	for line := range strings.Lines(f.Detail) {
		p.screen.line("  | " + plain.Escape(strings.TrimRight(line, "\r\n")))
	}
	if f.Hint != "" {
		p.screen.line("hint: " + plain.Escape(f.Hint))
	}
}
