package azlocal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"mngr/internal/azlocal/activity"
	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/compute"
	"mngr/internal/azlocal/fabric"
	"mngr/internal/azlocal/fault"
	"mngr/internal/azlocal/machine"
)

// maxCommand is how long a command in a machine may take when a fault runs it.
const maxCommand = time.Minute

// console is a command in a machine and how it ended.
type console struct {
	Argv   []string `json:"argv,omitempty"`
	Stdin  []byte   `json:"stdin,omitempty"` // base64, as the others
	Code   int      `json:"code"`
	Stdout []byte   `json:"stdout,omitempty"`
	Stderr []byte   `json:"stderr,omitempty"`
}

// control does something to a machine at once: POST /machines/VM/kill, hang, resume, exec.
func (s *Server) control(r *http.Request) (any, error) {
	id, key, err := s.machineNamed(r.PathValue("vm"))
	if err != nil {
		return nil, err
	}
	act := r.PathValue("act")
	if act == "exec" {
		c, err := readStrictly[console](r)
		if err != nil {
			return nil, err
		}
		return s.run(r.Context(), key, c)
	}
	what, ok := map[string]fault.Kind{"kill": fault.KillMachine, "hang": fault.HangSSH, "resume": resumeSSH}[act]
	if !ok {
		return nil, fmt.Errorf("a machine is not told to %q: kill, hang, resume, exec", act)
	}
	err = s.inflict(r.Context(), what, id, key)
	s.noteInfliction(what, id, "", err)
	return nil, err
}

// resumeSSH undoes fault.HangSSH.
const resumeSSH fault.Kind = "resume-sshd"

// machineNamed finds a machine by its name, or its id where several have the name.
func (s *Server) machineNamed(name string) (id, key string, err error) {
	found := 0
	s.world.View(func(t *fabric.Tx) {
		for _, d := range t.List(compute.TypeVM, "") {
			if strings.EqualFold(arm.Name(d.ID), name) || arm.Key(d.ID) == arm.Key(name) {
				id, key, found = d.ID, d.Hidden.Str("key"), found+1
			}
		}
	})
	if found != 1 {
		return "", "", fmt.Errorf("%d virtual machines are called %q", found, name)
	}
	return id, key, nil
}

// act does what a fault says to the machine that a call concerned.
func (s *Server) act(ctx context.Context, what fault.Kind, concerns, by string) {
	ctx, cancel := context.WithTimeout(ctx, maxCommand)
	defer cancel()
	id, key := "", ""
	s.world.View(func(t *fabric.Tx) {
		if d := compute.MachineOf(t, concerns); d != nil {
			id, key = d.ID, d.Hidden.Str("key")
		}
	})
	err := fmt.Errorf("%s concerns no machine", concerns)
	if id != "" {
		err = s.inflict(ctx, what, id, key)
	} else {
		id = concerns
	}
	s.noteInfliction(what, id, by, err)
}

// inflict does it.
func (s *Server) inflict(ctx context.Context, what fault.Kind, id, key string) error {
	switch what {
	case fault.KillMachine:
		state, err := s.compute.Driver.State(ctx, key)
		if err == nil && state != machine.Running {
			err = fmt.Errorf("the machine %s does not run", arm.Name(id))
		}
		if err != nil {
			return err
		}
		return s.compute.Driver.Kill(ctx, key)
	case fault.EvictMachine:
		err := s.world.Update(func(t *fabric.Tx) error {
			_, err := s.compute.Evict(t, id)
			return err
		})
		if refused, ok := errors.AsType[*arm.Error](err); ok {
			return errors.New(refused.Message)
		}
		return err
	case fault.HangSSH:
		return s.signalSSH(ctx, id, key, "-STOP")
	case resumeSSH:
		return s.signalSSH(ctx, id, key, "-CONT")
	}
	return fmt.Errorf("nothing is called %q", what)
}

// signalSSH signals every sshd of a guest: the one that listens and those of sessions.
func (s *Server) signalSSH(ctx context.Context, id, key, signal string) error {
	got, err := s.run(ctx, key, console{Argv: []string{"pkill", signal, "^sshd"}})
	if err == nil && got.Code != 0 {
		err = fmt.Errorf("no sshd was found in the machine %s: pkill ended with %d: %s", arm.Name(id), got.Code, bytes.TrimSpace(got.Stderr))
	}
	return err
}

func (s *Server) run(ctx context.Context, key string, c console) (console, error) {
	if len(c.Argv) == 0 {
		return c, errors.New("a command needs a name")
	}
	got, err := s.compute.Driver.Exec(ctx, key, c.Argv, bytes.NewReader(c.Stdin))
	if errors.Is(err, machine.ErrNoGuest) {
		why := "it is off"
		if name := s.compute.Driver.Name(); name == "none" {
			why = "the driver is " + name
		}
		return c, fmt.Errorf("%w: %s", machine.ErrNoGuest, why)
	}
	return console{Code: got.Code, Stdout: got.Stdout, Stderr: got.Stderr}, err
}

// noteInfliction logs what befell a machine.
func (s *Server) noteInfliction(what fault.Kind, id, by string, err error) {
	e := activity.Entry{Time: s.world.Now().UTC(), Operation: "azlocal:" + string(what), Resource: id, Fault: by, Ended: activity.Succeeded}
	if err != nil {
		e.Ended, e.EndedCode = activity.Failed, err.Error()
		s.log.Warn("a machine was not meddled with", "what", what, "machine", id, "cause", err)
	}
	s.record(e)
}
