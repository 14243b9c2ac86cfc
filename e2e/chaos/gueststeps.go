package chaos

import (
	"fmt"
	"slices"
	"strings"
)

// step is a phase of a command during which a connection to the machine is in use, or a
// write to Azure that nobody else's commands send.
type step struct {
	phase  string
	before string // the phase that ends as this one begins; "" for none
	nth    int    // among the connections of its port, those of the command or, unless it opens one, those open
	use
}

// use is what a phase does with connections, or with Azure. Which connection that is cannot
// be told from times: a phase may last for less than a connection takes to be seen to end.
type use struct {
	port  string // of the connection in use; "" for none
	opens bool   // it is opened in this phase, and not the oldest that is open
	call  string // the write to Azure that TestARM cannot reach
}

var (
	machine   = use{port: "tcp:22"}
	container = use{port: "tcp:2222"}
)

// opening is the use of a connection by the phase that opens it.
func (u use) opening() use { return use{port: u.port, opens: true} }

// usesOf knows every phase of create, start and stop; those that only show themselves when
// Azure is slow begin as the others do that ask it.
func usesOf(phase string) (u use, known bool) {
	for _, asks := range []string{"asking Azure ", "waiting for Azure ", "looking ", "logging in to Azure"} {
		if strings.HasPrefix(phase, asks) {
			return use{}, true
		}
	}
	u, known = uses()[phase]
	return u, known
}

func uses() map[string]use {
	return map[string]use{
		"checking what Azure needs":                                 {},
		"finishing host a, which bills":                             {},
		"waiting for the address":                                   {},
		"deallocating the machine":                                  {},
		"starting the machine":                                      {},
		"waiting for SSH on the machine":                            machine.opening(),
		"waiting for SSH of the virtual machine":                    {}, // the same wait, after half a minute
		"sending mngrd":                                             machine,
		"handing the host over to mngrd":                            machine,
		"waiting for cloud-init":                                    machine,
		"starting the Docker engine":                                machine,
		"guarding the machine's own network":                        machine,
		"ready":                                                     machine, // cloud-init has just ended
		"pulling debian:bookworm-slim":                              machine,
		"checking the tools of debian:bookworm-slim":                machine,
		"installing tmux, git, rsync, ca-certificates with apt-get": machine,
		"keeping the image with its tools":                          machine,
		"making the container":                                      machine,
		"starting the container":                                    machine,
		"connecting to the container":                               container.opening(),
		"connecting to host a":                                      container.opening(),
		"waiting for the container":                                 container.opening(),
		"asking host a who runs":                                    container.opening(),
		"preparing the agent":                                       container,
		"pushing branch main":                                       container.opening(), // git's own
		"starting the agent":                                        container,
		"creating the agent":                                        container,
		"starting agent a":                                          container,
		"stopping agent a":                                          container,
		"stopping the container":                                    machine.opening(),
		"publishing the host keys":                                  {call: "Microsoft.Resources/tags/write"},
		"recording it in the tags":                                  {call: "Microsoft.Compute/virtualMachines/write"},
	}
}

// stepsOf are the phases of a command that can be struck, for the number of connections it
// opened to each port: the last phase that opens one has opened the last, and the first all
// that are left, of which only the last was of use.
func stepsOf(all []moment, opened map[string]int) ([]step, error) {
	var steps []step
	before := ""
	for _, m := range all {
		u, known := usesOf(m.phase)
		if !known {
			return nil, fmt.Errorf("nobody has said what the phase %q uses", m.phase)
		}
		if u != (use{}) {
			steps = append(steps, step{phase: m.phase, before: before, use: u, nth: 1})
		}
		before = m.phase
	}
	for i, s := range slices.Backward(steps) {
		if !s.opens {
			continue
		}
		if steps[i].nth = opened[s.port]; steps[i].nth < 1 {
			return nil, fmt.Errorf("the phase %q has opened no connection to %s", s.phase, s.port)
		}
		opened[s.port]--
	}
	return steps, nil
}
