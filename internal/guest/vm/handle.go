package vm

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"mngr/internal/ctl"
	"mngr/internal/plain"
)

func (h *host) handle(ctx context.Context, request ctl.Request, rest io.Reader, progress io.Writer) ctl.Answer {
	if request.Version != ctl.Version {
		return failure(&ctl.Error{
			Code:    ctl.CodeUnsupported,
			Message: fmt.Sprintf("this mngrd speaks version %d of the protocol, the request is version %d", ctl.Version, request.Version),
		})
	}
	answer := ctl.Answer{Version: ctl.Version}
	phase := func(text string) { fmt.Fprintf(progress, "%s%s\n", ctl.ProgressPrefix, plain.Line(text, 200)) }
	var err error
	switch request.Op {
	case ctl.OpHostSetup:
		if request.Setup == nil {
			err = usage("host.setup without a setup")
			break
		}
		answer.Setup, err = h.setup(ctx, *request.Setup, phase)
	case ctl.OpHostBuild:
		if request.Build == nil {
			err = usage("host.build without a build")
			break
		}
		answer.Build, err = h.build(ctx, *request.Build, rest, progress, phase)
	case ctl.OpHostStatus:
		answer.Host, err = h.status(ctx)
	case ctl.OpHostStart:
		err = h.start()
	case ctl.OpHostStop:
		err = h.stop(ctx)
	default:
		err = usage("unknown operation %q on a machine", request.Op)
	}
	if err != nil {
		return failure(err)
	}
	return answer
}

func usage(format string, args ...any) error {
	return &ctl.Error{Code: ctl.CodeUsage, Message: fmt.Sprintf(format, args...)}
}

// failure turns err into an answer of one line and its detail.
func failure(err error) ctl.Answer {
	e := ctl.Error{Code: ctl.CodeFailed, Message: err.Error()}
	if known, ok := errors.AsType[*ctl.Error](err); ok {
		e.Code, e.Detail = known.Code, known.Detail
	}
	e.Message = plain.Line(e.Message, 400)
	return ctl.Answer{Version: ctl.Version, Error: &e}
}

// lastLines makes each of the last n lines fit for a terminal.
func lastLines(s string, n int) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	lines = lines[max(0, len(lines)-n):]
	for i, line := range lines {
		lines[i] = plain.Line(line, 200)
	}
	return strings.Join(lines, "\n")
}

func lastLine(s string) string { return lastLines(s, 1) }
