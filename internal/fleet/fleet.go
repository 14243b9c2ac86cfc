package fleet

import (
	"errors"
	"time"

	"mngr/internal/agent"
	"mngr/internal/ctl"
)

// ErrNoAccess says that a host does not accept this machine's key: it can be listed,
// stopped, started and destroyed from here, but not entered.
var ErrNoAccess = errors.New("the host does not know this machine's key")

// ErrEnded says that an agent's program has come to its end.
var ErrEnded = errors.New("the agent's program has ended")

// ErrNoHostKey is an ErrNoAccess: nothing could tell the host from an impostor. Those that
// the original mngr made publish no host keys; inside, they are its alone.
var ErrNoHostKey error = noHostKey{}

type noHostKey struct{}

func (noHostKey) Error() string {
	return "the host publishes no host key, as those that the original mngr made: only that one can enter it"
}

func (noHostKey) Is(target error) bool { return target == ErrNoAccess }

// Fleet is all that one user's mngr manages.
type Fleet struct {
	Instances []Instance
	Guests    Guests
	// GuestBinary returns mngrd for the architecture of a machine ("amd64").
	GuestBinary func(arch string) (data []byte, sha256 string, err error)
	// Pending keeps, on this machine only, what `create --no-wait` still has to do.
	Pending Pending
	// Spots remembers, on this machine only, hosts that Azure may evict and forget.
	Spots Spots
	Now   func() time.Time
	// Maker is who works here, "ann@laptop". It is written on what create makes, for others
	// to see.
	Maker string
}

// Instance is a provider instance with the defaults of the hosts it makes.
type Instance struct {
	Machines
	Defaults Defaults
	// Dormant instances were never used here: they are asked only when named.
	Dormant bool
	// Unused instances are asked, but nobody here has configured or used them: that nobody
	// is logged in there either is no failure, unless they are named.
	Unused bool
}

// missed tells whether err keeps an instance from answering of which nobody expects it.
func (i Instance) missed(err error) bool {
	return i.Unused && agent.KindOf(err) == agent.KindCredentials
}

// Defaults are a provider instance's settings for new hosts.
type Defaults struct {
	Image          string // of the container
	StartArgs      []string
	ContainerPort  int
	Idle           ctl.Idle
	AutoShutdown   time.Duration // 0 for never
	MaxHosts       int           // of the provider's hosts; 0 for any number
	MaxHourlyCost  float64       // USD an hour, of all of them; 0 for any sum
	DockerPackages []string
}

// Pending stores, by host id, what remains to be done for a host.
type Pending interface {
	Save(id agent.HostID, data []byte) error
	Load(id agent.HostID) ([]byte, error)     // fs.ErrNotExist when there is none
	Saved(id agent.HostID) (time.Time, error) // when it was; fs.ErrNotExist when there is none
	Remove(id agent.HostID) error
	Known() ([]agent.HostID, error) // hosts of which something remains to be done
	// Lock keeps other processes of this machine from working on the same host; taken is
	// false when one does.
	Lock(id agent.HostID) (unlock func(), taken bool, err error)
	Held(id agent.HostID) (bool, error) // whether a process has the lock; changes nothing
	Tidy() error                        // removes what killed processes left of locks
}

func (f *Fleet) instance(name string) (Instance, error) {
	var known []string
	for _, i := range f.Instances {
		if i.Name() == name {
			return i, nil
		}
		known = append(known, i.Name())
	}
	return Instance{}, agent.Errorf(agent.KindUsage, "unknown provider %q (known: %s)", name, join(known)).
		WithHint("mngr config list")
}
