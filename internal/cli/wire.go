package cli

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"mngr/internal/agent"
	"mngr/internal/atomicfile"
	"mngr/internal/azure"
	"mngr/internal/config"
	"mngr/internal/ctl"
	"mngr/internal/fleet"
	"mngr/internal/guestbin"
)

// wire builds the fleet out of the settings. It opens no connection.
func wire(conf *config.Config, lookup func(string) (string, bool)) (*fleet.Fleet, error) {
	f := &fleet.Fleet{
		Guests:      newGuests(conf),
		GuestBinary: guestBinary,
		Pending:     pending{dir: filepath.Join(conf.Files.BaseDir, "pending")},
		Spots:       spotHosts{dir: filepath.Join(conf.Files.BaseDir, "spot")},
		Now:         time.Now,
	}
	used, logins := localUsed(lookup), newLogins(conf)
	for _, p := range conf.Instances() {
		provider, err := newProviderWith(logins, conf, p)
		if err != nil {
			return nil, err
		}
		f.Instances = append(f.Instances, fleet.Instance{
			Machines: machines{provider},
			Defaults: hostDefaults(p),
			Dormant:  dormant(p, used, lookup),
		})
	}
	return f, nil
}

// newLogins keeps tokens beside the settings, so that `az` is not started by every run.
func newLogins(conf *config.Config) *azure.Logins {
	return azure.NewLogins(filepath.Join(conf.Files.BaseDir, "tokens"))
}

// newProvider makes one instance with logins of its own.
func newProvider(conf *config.Config, p config.Provider) (*azure.Provider, error) {
	return newProviderWith(newLogins(conf), conf, p)
}

func newProviderWith(logins *azure.Logins, conf *config.Config, p config.Provider) (*azure.Provider, error) {
	s := azure.Defaults()
	s.Logins = logins
	s.Name, s.Cloud, s.SubscriptionID = p.Name, azure.Cloud(p.Cloud), p.SubscriptionID
	s.Endpoints = azure.Endpoints(p.Endpoints)
	s.Region, s.ResourceGroup = p.DefaultRegion, p.ResourceGroup
	s.VNetName, s.SubnetName, s.NSGName = p.VnetName, p.SubnetName, p.NSGName
	s.VNetPrefix, s.SubnetPrefix = p.VnetAddressPrefix, p.SubnetAddressPrefix
	s.VMSize, s.SpotVMSize = p.DefaultVMSize, p.DefaultSpotVMSize
	s.FallbackVMSizes, s.FallbackRegions = p.FallbackVMSizes, p.FallbackRegions
	s.EvictDeallocates, s.SpotMaxPrice = p.SpotEvictionPolicy == "Deallocate", p.SpotMaxPrice
	s.Image = azure.Image{Publisher: p.ImagePublisher, Offer: p.ImageOffer, SKU: p.ImageSKU, Version: p.ImageVersion}
	s.AdminUsername, s.OSDiskSizeGB, s.OSDiskType = p.AdminUsername, int32(p.OSDiskSizeGB), p.OSDiskType
	s.ContainerSSHPort = p.ContainerSSHPort
	if conf.IsSet("providers." + p.Name + ".allowed_ssh_cidrs") {
		s.AllowedSSHCIDRs = p.AllowedSSHCIDRs
	}
	return azure.New(s)
}

// startArgs are the arguments of docker run that an instance's hosts get before those of
// the command line.
func startArgs(p config.Provider) []string {
	if p.DockerRuntime == "" {
		return p.DefaultStartArgs
	}
	return append([]string{"--runtime", p.DockerRuntime}, p.DefaultStartArgs...)
}

func hostDefaults(p config.Provider) fleet.Defaults {
	return fleet.Defaults{
		Image: p.DefaultImage, StartArgs: startArgs(p), ContainerPort: p.ContainerSSHPort,
		Idle:         ctl.Idle{Mode: p.DefaultIdleMode, TimeoutSeconds: p.DefaultIdleTimeout},
		AutoShutdown: time.Duration(p.AutoShutdownSeconds) * time.Second, DockerPackages: p.DockerPackages,
	}
}

// dormant instances exist without anybody having asked for them: the local Azure where
// none was ever started, and Azure itself where the local one is used and no trace of a
// login exists.
func dormant(p config.Provider, localUsed bool, lookup func(string) (string, bool)) bool {
	switch {
	case !p.Implicit:
		return false
	case p.Cloud == "local":
		return !localUsed
	}
	return localUsed && !loggedIn(lookup)
}

func localUsed(lookup func(string) (string, bool)) bool {
	dir, ok := lookup("MNGR_AZLOCAL_DIR")
	if !ok || dir == "" {
		base, ok := lookup("XDG_STATE_HOME")
		if !ok || base == "" {
			home, err := os.UserHomeDir()
			if err != nil {
				return false
			}
			base = filepath.Join(home, ".local", "state")
		}
		dir = filepath.Join(base, "mngr", "azlocal")
	}
	_, err := os.Stat(filepath.Join(dir, "client.json"))
	return err == nil
}

// loggedIn looks for what a login to Azure leaves behind, without asking anybody. The
// variables that `mngr azure local env` prints are a login to the local Azure.
func loggedIn(lookup func(string) (string, bool)) bool {
	if authority, ok := lookup("AZURE_AUTHORITY_HOST"); ok && strings.HasPrefix(authority, "https://127.") {
		return false
	}
	for _, name := range []string{"AZURE_CLIENT_ID", "AZURE_SUBSCRIPTION_ID", "AZURE_TOKEN_CREDENTIALS"} {
		if v, ok := lookup(name); ok && v != "" {
			return true
		}
	}
	dir, ok := lookup("AZURE_CONFIG_DIR")
	if !ok || dir == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return false
		}
		dir = filepath.Join(home, ".azure")
	}
	_, err := os.Stat(filepath.Join(dir, "azureProfile.json"))
	return err == nil
}

func guestBinary(arch string) ([]byte, string, error) {
	b, err := guestbin.For(arch)
	if err != nil {
		return nil, "", err
	}
	return b.Compressed, b.SHA256, nil
}

// machines lets an azure.Provider serve fleet, whose Create returns an interface.
type machines struct{ *azure.Provider }

var _ fleet.Machines = machines{}

func (m machines) Create(ctx context.Context, spec agent.MachineSpec, progress agent.Progress) (fleet.Creation, error) {
	c, err := m.Provider.Create(ctx, spec, progress)
	if err != nil {
		return nil, err
	}
	return c, nil
}

// pending keeps unfinished creates in files, one a host, since they hold the agent's
// environment: mode 0600.
type pending struct{ dir string }

func (p pending) path(id agent.HostID) string {
	return filepath.Join(p.dir, strings.ReplaceAll(string(id), "/", "_")+".json")
}

func (p pending) Save(id agent.HostID, data []byte) error {
	if err := os.MkdirAll(p.dir, 0o700); err != nil {
		return err
	}
	return atomicfile.Write(p.path(id), data, 0o600)
}

// Lock holds while the process lives, however it ends.
func (p pending) Lock(id agent.HostID) (unlock func(), taken bool, err error) {
	if err := os.MkdirAll(p.dir, 0o700); err != nil {
		return nil, false, err
	}
	path := p.path(id) + ".lock"
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, false, err
	}
	err = unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) || err == nil && !stillAt(path, file) {
		return func() {}, false, file.Close()
	}
	if err != nil {
		_ = file.Close()
		return nil, false, err
	}
	return func() {
		_ = os.Remove(path)
		_ = file.Close()
	}, true, nil
}

// stillAt tells whether a file has its name still. Who held the lock before may have
// removed it, and the next one would lock another file.
func stillAt(path string, file *os.File) bool {
	opened, err := file.Stat()
	if err != nil {
		return false
	}
	now, err := os.Stat(path)
	return err == nil && os.SameFile(opened, now)
}

func (p pending) Load(id agent.HostID) ([]byte, error) { return os.ReadFile(p.path(id)) }

func (p pending) Known() ([]agent.HostID, error) {
	files, err := filepath.Glob(filepath.Join(p.dir, "host-*.json"))
	var ids []agent.HostID
	for _, f := range files {
		if id, err := agent.ParseHostID(strings.TrimSuffix(filepath.Base(f), ".json")); err == nil {
			ids = append(ids, id)
		}
	}
	return ids, err
}

func (p pending) Remove(id agent.HostID) error {
	for _, path := range []string{p.path(id), p.path(id) + ".lock"} { // a killed process leaves its lock's file
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}
