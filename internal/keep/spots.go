package keep

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"mngr/internal/agent"
	"mngr/internal/atomicfile"
	"mngr/internal/fleet"
)

// Spots keeps what this machine has seen of Spot hosts in files, one a host.
type Spots struct{ Dir string }

func (s Spots) path(id agent.HostID) (string, error) {
	if _, err := agent.ParseHostID(string(id)); err != nil {
		return "", err // it comes from a tag
	}
	return filepath.Join(s.Dir, string(id)+".json"), nil
}

// Save replaces what is known of a host.
func (s Spots) Save(h fleet.SpotHost) error {
	path, err := s.path(h.ID)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(s.Dir, 0o700); err != nil {
		return err
	}
	data, err := json.Marshal(h)
	if err != nil {
		return err
	}
	return atomicfile.Write(path, data, 0o600)
}

// Load returns all of them, and passes over what is no record of ours.
func (s Spots) Load() ([]fleet.SpotHost, error) {
	entries, err := os.ReadDir(s.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var hosts []fleet.SpotHost
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(s.Dir, e.Name()))
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

// Remove forgets a host; absent is fine.
func (s Spots) Remove(id agent.HostID) error {
	path, err := s.path(id)
	if err != nil {
		return nil
	}
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
