package fleet

import (
	"context"
	"fmt"
	"strings"

	"mngr/internal/agent"
	"mngr/internal/ctl"
	"mngr/internal/plain"
)

// How much of an agent's terminal is shown once the agent has ended.
const (
	wordsLines = 40
	wordsBytes = 64 << 10
)

// launched is an agent that has just been started, and what it said last if it has failed
// already.
type launched struct {
	ctl.AgentStatus
	said string
}

// failed tells an agent whose program has ended badly.
func failed(a ctl.AgentStatus) bool {
	return a.State == string(agent.Done) && a.ExitCode != nil && *a.ExitCode != 0
}

// lookAgain asks once more, one round trip later: a program that cannot be started has
// ended by then, as a rule.
func (f *Fleet) lookAgain(ctx context.Context, g Guest, a ctl.AgentStatus) launched {
	answer, err := f.ask(ctx, g, ctl.Request{Op: ctl.OpStatus}, nil)
	if err == nil {
		if fresh := guestOf(answer.Container, agent.ID(a.ID)); fresh != nil {
			a = *fresh
		}
	}
	l := launched{AgentStatus: a}
	if failed(a) {
		if lines := lastWords(ctx, g, a); len(lines) > 0 {
			l.said = lines[len(lines)-1]
		}
	}
	return l
}

// launcherSays begins what mngrd writes into the terminal of an agent that it cannot start.
const launcherSays = "mngrd: start the agent: "

// endedAtOnce warns of an agent that has failed already; "" for one that has not.
func endedAtOnce(a launched) string {
	if !failed(a.AgentStatus) {
		return ""
	}
	why := fmt.Sprintf("ended with code %d", *a.ExitCode)
	if *a.ExitCode == 127 || *a.ExitCode == 126 {
		why = "cannot be run"
	}
	if a.said == "" {
		return fmt.Sprintf("the agent's program %s", why)
	}
	said := plain.Line(strings.TrimPrefix(a.said, launcherSays), maxWord)
	return fmt.Sprintf("the agent's program %s: %s; mngr connect %s shows all it said", why, said, plain.Strip(a.Name))
}

// lastWords are the last lines in the terminal of an agent that has ended. What attaches to
// it sees little of them: tmux shows the rest of a pane that has become smaller.
func lastWords(ctx context.Context, g Guest, a ctl.AgentStatus) []string {
	if agent.CheckName("agent", a.Name) != nil {
		return nil
	}
	ctx, done := agent.Within(ctx, agent.DeadlineGuestReply, "reading the terminal of agent "+a.Name)
	defer done(nil)
	out := &limited{limit: wordsBytes}
	exit, err := g.Run(ctx, Command{
		Line: fmt.Sprintf("exec tmux capture-pane -p -J -S -%d -t =mngr-%s:=agent", wordsLines, a.Name),
		Env:  map[string]string{ctl.EnvAgent: a.ID}, Stdin: strings.NewReader(""), Stdout: out, Stderr: &limited{},
	})
	if err != nil || exit != 0 {
		return nil
	}
	var lines []string
	for line := range strings.Lines(out.String()) {
		line = strings.TrimRight(plain.Strip(line), " ")
		if strings.HasPrefix(line, "Pane is dead") || line == "" && len(lines) == 0 {
			continue
		}
		lines = append(lines, line)
	}
	for len(lines) > 0 && lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	return lines[max(0, len(lines)-wordsLines):]
}

// attachable refuses an agent that has no program to attach to, and shows what one that
// has ended said.
func (f *Fleet) attachable(ctx context.Context, g Guest, r Row) error {
	answer, err := f.ask(ctx, g, ctl.Request{Op: ctl.OpStatus}, nil)
	if err != nil {
		return orElse(err, "%s", silentHost(r.Host))
	}
	a := guestOf(answer.Container, r.Agent.ID)
	switch {
	case a == nil:
		return nil
	case a.State == string(agent.Stopped):
		return agent.Errorf(agent.KindConflict, "agent %q is %s", r.Agent.Name, agent.Stopped).WithHint("mngr start %s", r.Agent.Name)
	case a.State == string(agent.Done):
		cause := fmt.Sprintf("agent %q has ended", r.Agent.Name)
		if a.ExitCode != nil {
			cause += fmt.Sprintf(" with code %d", *a.ExitCode)
		}
		return &agent.Error{Kind: agent.KindConflict, Cause: cause, Hint: "mngr start " + r.Agent.Name + " # runs it again",
			Lines: strings.Join(lastWords(ctx, g, *a), "\n"), Err: ErrEnded}
	}
	return nil
}
