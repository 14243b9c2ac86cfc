package agent

import (
	"errors"
	"fmt"
	"strings"
)

// Kind sorts errors by what a caller, or a user, can do about them.
type Kind string

// Error kinds.
const (
	KindInternal    Kind = "internal"     // a defect, or something nobody foresaw
	KindUsage       Kind = "usage"        // the command line or the configuration is wrong
	KindNotFound    Kind = "not_found"    // no such agent, host or resource
	KindExists      Kind = "exists"       // the name is taken
	KindNotPrepared Kind = "not_prepared" // `mngr azure prepare` has not run
	KindCredentials Kind = "credentials"  // nobody is logged in, or the login is refused
	KindDenied      Kind = "denied"       // the login lacks a permission
	KindQuota       Kind = "quota"        // the subscription's quota is used up
	KindNoCapacity  Kind = "no_capacity"  // Azure has no such machine now
	KindConflict    Kind = "conflict"     // another operation is under way
	KindThrottled   Kind = "throttled"    // too many requests
	KindUnreachable Kind = "unreachable"  // the machine or the service does not answer
	KindTimeout     Kind = "timeout"      // a deadline has passed
	KindRefused     Kind = "refused"      // we decline to act, for safety
	KindBuild       Kind = "build"        // docker build says that the user's image cannot be built
	KindRemains     Kind = "remains"      // something that costs money may be left
	KindCanceled    Kind = "canceled"     // the user interrupted
)

// Error is an error that a user sees: one line of cause and one of remedy.
type Error struct {
	Kind  Kind
	Cause string // lower case, no full stop: `host "x" is not prepared`
	Hint  string // a command or a fact that helps; may be empty
	Code  string // the provider's own word for it, for example SkuNotAvailable; may be empty
	Lines string // what explains it in more than one line, the end of a log; may be empty
	Err   error  // what lies beneath; may be nil

	// Harmless: the command did what it is for; what it could not do besides costs nothing
	// and endangers nothing. A warning, not a failure.
	Harmless bool
}

func (e *Error) Error() string {
	if e.Cause == "" && e.Err != nil {
		return e.Err.Error()
	}
	return e.Cause
}

// Unwrap returns what lies beneath.
func (e *Error) Unwrap() error { return e.Err }

// ErrChanged says that somebody else has written to a machine since it was read, so that
// what was to be written, worked out from that, was not.
var ErrChanged = errors.New("somebody else has changed it meanwhile")

// ErrNothingBegun says that a change which was interrupted has not begun: all that was asked
// was refused, so that there is nothing to take back.
var ErrNothingBegun = errors.New("nothing has begun")

// Errorf makes an Error without a hint.
func Errorf(kind Kind, format string, args ...any) *Error {
	err := fmt.Errorf(format, args...)
	return &Error{Kind: kind, Cause: err.Error(), Err: errors.Unwrap(err)}
}

// WithHint returns e with the hint set.
func (e *Error) WithHint(format string, args ...any) *Error {
	c := *e
	c.Hint = fmt.Sprintf(format, args...)
	return &c
}

// KindOf returns the kind of the first Error in err's chain, else KindInternal.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return KindInternal
}

// Harmless tells whether all that went wrong is harmless.
func Harmless(err error) bool {
	switch e := err.(type) {
	case *Error:
		return e.Harmless
	case interface{ Unwrap() []error }:
		for _, one := range e.Unwrap() {
			if !Harmless(one) {
				return false
			}
		}
		return true
	case interface{ Unwrap() error }:
		return Harmless(e.Unwrap())
	}
	return false
}

// Explain adds to a hint what else can be done, for people: a command is followed by one
// comment, so that pasting it runs the command and nothing more.
func Explain(hint, more string) string {
	switch {
	case hint == "":
		return more
	case strings.Contains(hint, " # "):
		return hint + "; " + more
	}
	return hint + " # " + more
}

// HintOf returns the first hint in err's chain, or "".
func HintOf(err error) string {
	return first(err, func(e *Error) string { return e.Hint })
}

// first walks err's chain for the first Error that has something to say.
func first(err error, of func(*Error) string) string {
	for err != nil {
		e, ok := errors.AsType[*Error](err)
		if !ok {
			return ""
		}
		if s := of(e); s != "" {
			return s
		}
		err = e.Err
	}
	return ""
}

// CodeOf returns the first provider's code in err's chain, or "".
func CodeOf(err error) string {
	return first(err, func(e *Error) string { return e.Code })
}

// LinesOf returns the first explanation of several lines in err's chain, or "".
func LinesOf(err error) string {
	return first(err, func(e *Error) string { return e.Lines })
}
