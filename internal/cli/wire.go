package cli

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"time"

	"mngr/internal/agent"
	"mngr/internal/azure"
	"mngr/internal/config"
	"mngr/internal/ctl"
	"mngr/internal/fleet"
	"mngr/internal/guestbin"
	"mngr/internal/keep"
)

// wire builds the fleet out of the settings. It opens no connection.
func wire(conf *config.Config, lookup func(string) (string, bool), log azure.Journal) (*fleet.Fleet, error) {
	f := &fleet.Fleet{
		Guests:      newGuests(conf),
		GuestBinary: guestBinary,
		Pending:     keep.Pending{Dir: filepath.Join(conf.Files.BaseDir, "pending")},
		Spots:       keep.Spots{Dir: filepath.Join(conf.Files.BaseDir, "spot")},
		Now:         time.Now,
	}
	used, logins := localUsed(lookup), newLogins(conf)
	for _, p := range conf.Instances() {
		provider, err := newProviderWith(logins, conf, p, log)
		if err != nil {
			return nil, err
		}
		unused := neverUsed(conf, p, used, lookup)
		f.Instances = append(f.Instances, fleet.Instance{
			Machines: machines{provider},
			Defaults: hostDefaults(p),
			Dormant:  unused && (p.Cloud == "local" || used),
			Unused:   unused,
		})
	}
	return f, nil
}

// newLogins keeps tokens beside the settings, so that `az` is not started by every run.
func newLogins(conf *config.Config) *azure.Logins {
	return azure.NewLogins(filepath.Join(conf.Files.BaseDir, "tokens"))
}

// newProvider makes one instance with logins of its own.
func newProvider(conf *config.Config, p config.Provider, log azure.Journal) (*azure.Provider, error) {
	return newProviderWith(newLogins(conf), conf, p, log)
}

func newProviderWith(logins *azure.Logins, conf *config.Config, p config.Provider, log azure.Journal) (*azure.Provider, error) {
	s := azure.Defaults()
	s.Logins, s.Journal = logins, log
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

// neverUsed tells of instances that exist without anybody having asked for them: the local
// Azure where none was ever started, and Azure itself where neither a login nor anything
// that mngr keeps of its hosts is to be found. Nobody is asked for that.
func neverUsed(conf *config.Config, p config.Provider, localUsed bool, lookup func(string) (string, bool)) bool {
	switch {
	case !p.Implicit:
		return false
	case p.Cloud == "local":
		return !localUsed
	}
	keys, err := os.ReadDir(filepath.Join(conf.Files.BaseDir, "keys", p.Name))
	tokens, noTokens := os.ReadDir(filepath.Join(conf.Files.BaseDir, "tokens"))
	unknown := err != nil && !errors.Is(err, os.ErrNotExist) || noTokens != nil && !errors.Is(noTokens, os.ErrNotExist)
	return !unknown && len(keys)+len(tokens) == 0 && !loggedIn(lookup)
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
	for _, name := range []string{
		"AZURE_CLIENT_ID", "AZURE_SUBSCRIPTION_ID", "AZURE_TOKEN_CREDENTIALS", "AZURE_FEDERATED_TOKEN_FILE", "IDENTITY_ENDPOINT", "MSI_ENDPOINT",
	} {
		if v, ok := lookup(name); ok && v != "" {
			return true
		}
	}
	return azure.AzHasLogin()
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
