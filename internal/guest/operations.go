package guest

import (
	"context"
	"fmt"
	"io"

	"golang.org/x/sys/unix"

	"mngr/internal/ctl"
	"mngr/internal/guest/control"
)

// handle does one operation of the container.
func (w *worker) handle(ctx context.Context, req ctl.Request, progress io.Writer) ctl.Answer {
	var answer ctl.Answer
	var err error
	switch req.Op {
	case ctl.OpAgentPrepare, ctl.OpAgentStart, ctl.OpAgentStop, ctl.OpAgentRemove:
		if req.Ref == nil {
			return control.Failure(lacks(req.Op, "ref"))
		}
		err = w.handleRef(ctx, req.Op, *req.Ref, &answer)
	case ctl.OpAgentCreate:
		if req.Agent == nil {
			return control.Failure(lacks(req.Op, "agent"))
		}
		fmt.Fprintf(progress, "%screating the agent\n", ctl.ProgressPrefix)
		answer.Agent, err = w.agents.Create(ctx, *req.Agent)
	case ctl.OpAgentEdit:
		if req.Edit == nil {
			return control.Failure(lacks(req.Op, "edit"))
		}
		answer.Agent, err = w.agents.Edit(ctx, *req.Edit)
	case ctl.OpStatus:
		answer.Container, err = w.status(ctx)
	default:
		err = &ctl.Error{Code: ctl.CodeUnsupported, Message: fmt.Sprintf("this mngrd knows no operation %q", req.Op)}
	}
	if err != nil {
		return control.Failure(err)
	}
	return answer
}

func lacks(op, field string) error {
	return &ctl.Error{Code: ctl.CodeUsage, Message: fmt.Sprintf("%s lacks %q", op, field)}
}

func (w *worker) handleRef(ctx context.Context, op string, ref ctl.AgentRef, answer *ctl.Answer) (err error) {
	switch op {
	case ctl.OpAgentPrepare:
		answer.Prepared, err = w.agents.Prepare(ctx, ref)
	case ctl.OpAgentStart:
		answer.Agent, err = w.agents.Start(ctx, ref)
	case ctl.OpAgentStop:
		answer.Agent, err = w.agents.Stop(ctx, ref)
	case ctl.OpAgentRemove:
		err = w.agents.Remove(ctx, ref)
	}
	return err
}

// diskOf is the file system that a directory lies on; nil where the kernel does not say.
func diskOf(dir string) *ctl.Disk {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return nil
	}
	return &ctl.Disk{Size: int64(st.Blocks) * st.Bsize, Free: int64(st.Bavail) * st.Bsize}
}

func (w *worker) status(ctx context.Context) (*ctl.ContainerStatus, error) {
	seen, err := w.agents.Observe(ctx)
	if err != nil {
		return nil, err
	}
	st := &ctl.ContainerStatus{Agents: []ctl.AgentStatus{}, BootTime: w.meter.Boot().UTC(), Machine: w.machine(), Disk: diskOf(w.paths.root)}
	for _, o := range seen {
		st.Agents = append(st.Agents, o.AgentStatus)
	}
	v, err := w.watcher.Look(ctx)
	if err != nil {
		w.log.Warn("idle state unknown", "err", err)
		return st, nil // the agents are known, the rest is not
	}
	settings, err := w.idleSettings()
	if err != nil {
		return nil, err
	}
	st.IdleMode, st.IdleTimeout = string(v.Mode), int(settings.Timeout.Seconds())
	st.IdleSeconds, st.ActivityName = int(v.Since.Seconds()), v.Source
	if !v.Never {
		st.SecondsLeft = new(int(v.Left.Seconds()))
	}
	return st, nil
}
