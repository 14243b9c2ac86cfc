package cli

import (
	"fmt"
	"io"

	"mngr/internal/agent"
	"mngr/internal/config"
	"mngr/internal/fleet"
	"mngr/internal/output"
)

// printCreated shows a new agent and how to reach it. Its JSON keys are a contract.
func (a *App) printCreated(f *fleet.Fleet, c fleet.Created, p config.Provider) error {
	conf, err := a.config()
	if err != nil {
		return err
	}
	keys := newGuests(conf)
	port := f.Guests.Port(c.Host)
	return a.printer().Emit(output.Result{
		Event: "created",
		Data: map[string]any{
			"agent_id": c.Agent.ID, "name": c.Agent.Name, "host_id": c.Host.ID, "host_name": c.Host.Name,
			"provider_name": c.Host.Provider, "finished": c.Finished, "work_dir": c.WorkDir,
			"region": c.Host.Region, "size": c.Host.Size, "spot": c.Host.Spot,
			"ssh_user": "root", "ssh_host": c.Host.Address, "ssh_port": port, "outer_ssh_port": 22,
			"ssh_key_path": keys.identity.Path(p.Name), "known_hosts_path": keys.knownHostsPath(c.Host.ID),
			"outer_host_public_key": c.Host.HostKeys.VM, "container_host_public_key": c.Host.HostKeys.Container,
		},
		Human: func(w io.Writer) error {
			if !c.Finished {
				_, err := fmt.Fprintf(w, "Azure makes the machine of %s (%s); `mngr start %s` finishes it\n", c.Agent.Name, machineOf(c.Host), c.Agent.Name)
				return err
			}
			_, err := fmt.Fprintf(w, "%s is on host %s (%s, %s)\nssh -i %s -o UserKnownHostsFile=%s -p %d root@%s\n",
				c.Agent.Name, c.Host.Name, c.Host.Address, machineOf(c.Host), keys.identity.Path(p.Name), keys.knownHostsPath(c.Host.ID), port, c.Host.Address)
			return err
		},
	})
}

// machineOf says what a host's machine is: its size, and where.
func machineOf(h agent.Host) string {
	text := h.Size + " in " + h.Region
	if h.Spot {
		text += ", Spot"
	}
	return text
}
