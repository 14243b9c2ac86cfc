package agent

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Deadline is how long one wait of mngr's may last. A wait that passes it fails with
// KindTimeout and the name of its phase; see Within.
type Deadline time.Duration

// String writes a deadline as a person does: 90s, 2m, 30m.
func (d Deadline) String() string {
	if d%minute == 0 {
		return fmt.Sprintf("%dm", d/minute)
	}
	return fmt.Sprintf("%ds", d/second)
}

const (
	second = Deadline(time.Second)
	minute = Deadline(time.Minute)
)

// All deadlines of waits. docs/cli.md has the same table; a test compares the two.
const (
	DeadlineTry        = 70 * second // one exchange with Azure; a resource provider must answer ARM within 60 s
	DeadlineLogin      = 1 * minute  // a token; az alone may take ten seconds to start
	DeadlineAccept     = 2 * minute  // Azure accepts or refuses a request
	DeadlineChange     = 4 * minute  // Azure accepts a change of power while other operations are in its way
	DeadlineDelete     = 15 * minute // Azure accepts a machine's deletion, and is done with it
	DeadlineOperation  = 30 * minute // an operation of Azure's
	DeadlineUnsure     = 7 * minute  // whether a request whose answer is lost has made a machine
	DeadlineUndo       = 10 * minute // removing what a failed create has made
	DeadlineAddress    = 5 * minute  // a new machine has a public address
	DeadlineParts      = 5 * minute  // interface, address and disk are gone with their machine
	DeadlineAssign     = 90 * second // the directory knows a new machine's identity
	DeadlineRegister   = 15 * minute // a new subscription registers a resource provider
	DeadlineList       = 30 * second // what one provider has
	DeadlineStates     = 3 * second  // the states of all machines at once; without them each is asked
	DeadlineActivity   = 3 * second  // why a Spot machine is down; without it nobody says so
	DeadlinePrices     = 3 * second  // what hosts cost; without it earlier prices count, or a table's
	DeadlineSizes      = 15 * second // the sizes of a region; without them Azure refuses a wrong one
	DeadlineLocal      = 2 * second  // the local Azure accepts a connection
	DeadlineLocalUp    = 15 * minute // the local Azure starts; the first time it makes its machines' image
	DeadlineCollect    = 2 * minute  // removing, after a destroy, what earlier hosts left
	DeadlineVMSSH      = 8 * minute  // SSH of a machine that boots
	DeadlineGuestSSH   = 2 * minute  // the container's SSH server
	DeadlineRunning    = 45 * second // the container of a host that did not have to boot
	DeadlineHandshake  = 10 * second // one attempt to connect by SSH
	DeadlineKeepAlive  = 30 * second // a sign of life on an SSH connection
	DeadlineHangUp     = 2 * second  // a command over SSH ends when told to
	DeadlineProbe      = 3 * second  // a host's answer to list; without it the host is UNREACHABLE
	DeadlineMachine    = 2 * second  // a machine's word on why its container is silent; without it list says less
	DeadlineGuestReply = 10 * second // a host's answer to a question
	DeadlineGuestWork  = 2 * minute  // a host starts, stops or removes an agent
	DeadlineGuestStop  = 30 * second // the container stops before its machine; without it the machine's own shutdown ends it
	DeadlineDocker     = 10 * minute // the machine has installed Docker
	DeadlineContainer  = 10 * minute // the image is pulled and completed, and its container up
	DeadlineSetup      = 20 * minute // Docker and the container, seen from here
	DeadlineBuild      = 25 * minute // docker build
	DeadlineTransfer   = 15 * minute // files on their way to a host
	DeadlineImage      = 35 * minute // a build with its context, seen from here
	DeadlineCreate     = 40 * minute // a new machine becomes a host: after 45 minutes it would deallocate itself
	DeadlineRepository = 2 * minute  // git looks at the repository
	DeadlineChild      = 5 * second  // a program's children let go of its output
	DeadlineOwnAddress = 10 * second // a web server tells this machine's own address
	DeadlineComplete   = 2 * second  // names for a Tab; without them none are offered
	DeadlineLastWord   = 1 * second  // the terminal takes the last word of who is interrupted twice
)

// Ages from which on things count differently. They are no waits.
const (
	// AgeAbandoned is the age at which an unfinished host is FAILED rather than CREATING. The
	// dead-man timer of its machine fires then, and gc may remove it.
	AgeAbandoned = 45 * time.Minute
	// AgeLoose is the age that an unused part of a machine must have passed: Azure reserves the
	// interface of a machine that it could not make for 180 seconds, and who is about to make
	// one makes its interface and address first.
	AgeLoose = 240 * time.Second
	// PatienceUnshown is how long a wait that nobody asked for may last without being shown.
	PatienceUnshown = 3 * time.Second
)

// Within begins a phase that ends with its deadline. What the phase returns goes through
// done, deferred: `defer done(&err)`. It ends the phase, and where the deadline has passed
// makes the error one that says so. An error that knows better what is left, or what to
// do, stays as it is.
func Within(ctx context.Context, d Deadline, phase string) (bounded context.Context, done func(*error)) {
	passed := &Error{Kind: KindTimeout, Cause: fmt.Sprintf("%s: not done within %s", phase, d), Err: context.DeadlineExceeded}
	bounded, cancel := context.WithTimeoutCause(ctx, time.Duration(d), passed)
	return bounded, func(err *error) {
		if err != nil && *err != nil && errors.Is(context.Cause(bounded), passed) {
			*err = passed.over(*err)
		}
		cancel()
	}
}

// Passed tells whether the end of ctx was that of a deadline, and not its caller's.
func Passed(ctx context.Context) bool {
	cause, ok := errors.AsType[*Error](context.Cause(ctx))
	return ok && cause.Kind == KindTimeout
}

// over replaces what a context's end has brought about by the reason for it.
func (e *Error) over(err error) error {
	switch KindOf(err) {
	case KindInternal, KindUnreachable, KindCanceled:
	default:
		return err
	}
	late := *e
	late.Err, late.Hint, late.Code, late.Lines = err, HintOf(err), CodeOf(err), LinesOf(err)
	if known, ok := errors.AsType[*Error](err); ok && known.Kind == KindUnreachable {
		late.Cause += ": " + err.Error()
	}
	return &late
}

type progressKey struct{}

// WithProgress hands progress down to what may have to wait where nobody expects it: a
// request that is throttled, a write that another one keeps out.
func WithProgress(ctx context.Context, progress Progress) context.Context {
	if progress == nil {
		return ctx
	}
	return context.WithValue(ctx, progressKey{}, progress)
}

// Tell shows a phase to whoever WithProgress named, if anybody.
func Tell(ctx context.Context, phase string) {
	if progress, ok := ctx.Value(progressKey{}).(Progress); ok {
		progress(phase)
	}
}
