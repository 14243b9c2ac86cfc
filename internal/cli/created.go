package cli

import (
	"context"
	"fmt"
	"io"

	"mngr/internal/agent"
	"mngr/internal/config"
	"mngr/internal/fleet"
	"mngr/internal/output"
)

// printCreated shows a new agent and how to reach it. Its JSON keys are a contract.
func (a *App) printCreated(ctx context.Context, f *fleet.Fleet, c fleet.Created, p config.Provider) error {
	conf, err := a.config()
	if err != nil {
		return err
	}
	keys := newGuests(conf)
	port := f.Guests.Port(c.Host)
	rate := f.Costs(ctx, []agent.Host{c.Host}).Of(c.Host).Rate
	a.sayLifetime(c, p)
	return a.printer().Emit(output.Result{
		Event: "created",
		Data: map[string]any{
			"agent_id": c.Agent.ID, "name": c.Agent.Name, "host_id": c.Host.ID, "host_name": c.Host.Name,
			"provider_name": c.Host.Provider, "finished": c.Finished, "work_dir": c.WorkDir,
			"region": c.Host.Region, "size": c.Host.Size, "spot": c.Host.Spot,
			"ssh_user": "root", "ssh_host": c.Host.Address, "ssh_port": port, "outer_ssh_port": 22,
			"ssh_key_path": keys.identity.Path(p.Name), "known_hosts_path": keys.knownHostsPath(c.Host.ID),
			"outer_host_public_key": c.Host.HostKeys.VM, "container_host_public_key": c.Host.HostKeys.Container,
			"usd_per_hour": rounded(rate.Running().Exact()), "price_source": known(string(rate.Source)), "price_date": known(rate.Date),
		},
		Human: func(w io.Writer) error {
			if !c.Finished {
				_, err := fmt.Fprintf(w, "Azure makes the machine of %s (%s, %s); `mngr start %s` finishes it\n", c.Agent.Name, machineOf(c.Host), hourly(rate), c.Agent.Name)
				return err
			}
			cost := hourly(rate)
			if c.Joined {
				cost = "still " + cost // for all its agents together
			}
			_, err := fmt.Fprintf(w, "%s is on host %s (%s, %s, %s)\nssh -i %s -o UserKnownHostsFile=%s -p %d root@%s\n",
				c.Agent.Name, c.Host.Name, c.Host.Address, machineOf(c.Host), cost, keys.identity.Path(p.Name), keys.knownHostsPath(c.Host.ID), port, c.Host.Address)
			return err
		},
	})
}

// sayLifetime tells of a new host that nothing but idleness ends: an agent can keep its own
// host awake.
func (a *App) sayLifetime(c fleet.Created, p config.Provider) {
	if p.AutoShutdownSeconds > 0 || c.Joined {
		return
	}
	a.printer().Note("no lifetime is set: an agent that stays busy keeps host %s running, and billed, until `mngr stop`; a limit for hosts made from then on: mngr config set providers.%s.auto_shutdown_seconds 28800",
		c.Host.Name, p.Name)
}

// hourly is what a host costs while it runs, for people.
func hourly(r agent.Rate) string {
	sum := r.Running()
	if sum.Unknown > 0 && sum.Known == 0 {
		return "price unknown"
	}
	return "USD " + dollars(sum, r.Source, 4) + " an hour"
}

// machineOf says what a host's machine is: its size, and where.
func machineOf(h agent.Host) string {
	text := h.Size + " in " + h.Region
	if h.Spot {
		text += ", Spot"
	}
	return text
}
