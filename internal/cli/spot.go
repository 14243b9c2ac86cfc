package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"mngr/internal/agent"
	"mngr/internal/atomicfile"
	"mngr/internal/config"
	"mngr/internal/fleet"
)

// explainSpot says what a Spot host is, before one is made.
func (a *App) explainSpot(o fleet.CreateOptions, p config.Provider) {
	if !o.Spot {
		return
	}
	if o.Size == "" {
		a.printer().Note("no size was given: the Spot host gets %s (default_spot_vm_size), since sizes of the B series cannot be Spot",
			p.DefaultSpotVMSize)
	}
	price := "at any price up to the usual one"
	if p.SpotMaxPrice != -1 {
		price = fmt.Sprintf("while it costs at most %v USD an hour (spot_max_price)", p.SpotMaxPrice)
	}
	if p.SpotEvictionPolicy == "Deallocate" {
		a.printer().Warn(fmt.Sprintf("Azure may evict a Spot host at any time, which runs %s; an evicted one keeps its disk, which bills", price),
			"mngr start brings it back when there is room again")
		return
	}
	a.printer().Warn(fmt.Sprintf("Azure may evict a Spot host at any time, which runs %s; an evicted host and its work are deleted", price),
		fmt.Sprintf("mngr config set providers.%s.spot_eviction_policy Deallocate keeps the disk", p.Name))
}

// spotHosts keeps what this machine has seen of Spot hosts in files, one a host.
type spotHosts struct{ dir string }

func (s spotHosts) path(id agent.HostID) (string, error) {
	if _, err := agent.ParseHostID(string(id)); err != nil {
		return "", err // it comes from a tag
	}
	return filepath.Join(s.dir, string(id)+".json"), nil
}

func (s spotHosts) Save(h fleet.SpotHost) error {
	path, err := s.path(h.ID)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return err
	}
	data, err := json.Marshal(h)
	if err != nil {
		return err
	}
	return atomicfile.Write(path, data, 0o600)
}

// Load passes over what is no record of ours.
func (s spotHosts) Load() ([]fleet.SpotHost, error) {
	entries, err := os.ReadDir(s.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var hosts []fleet.SpotHost
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(s.dir, e.Name()))
		if err != nil {
			continue // another mngr has just forgotten it
		}
		var h fleet.SpotHost
		if json.Unmarshal(data, &h) == nil && string(h.ID)+".json" == e.Name() {
			hosts = append(hosts, h)
		}
	}
	return hosts, nil
}

func (s spotHosts) Remove(id agent.HostID) error {
	path, err := s.path(id)
	if err != nil {
		return nil
	}
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
