package agent

import "time"

// MachineSpec is what a provider needs to make the machine of a host.
type MachineSpec struct {
	HostID        HostID
	HostName      string
	Region        string // "" for the provider's default
	Size          string // "" for the provider's default
	Spot          bool
	NoIdentity    bool              // its container may break out: the machine gets no right at all
	CustomData    []byte            // cloud-init user data, not encoded
	AuthorizedKey string            // for the admin user, in authorized_keys form
	Tags          map[string]string // all tags of the host, complete
}

// ControlPlane is what a machine must know to reach its cloud's API from inside.
type ControlPlane struct {
	Endpoint     string // https URL without a trailing slash
	Audience     string // the resource that a managed identity asks a token for
	CACert       []byte // PEM of a private authority; nil where public ones do
	SubnetPrefix string // of the machine, in CIDR form
	SelfStop     bool   // the machine gets an identity that may deallocate itself
}

// Progress receives the phase under way: "waiting for the address". It must not block.
type Progress func(phase string)

// Deadlines of waits. A wait that passes its deadline fails with its phase's name.
const (
	DeadlineAccept     = 2 * time.Minute  // ARM accepts or refuses a request
	DeadlineAddress    = 5 * time.Minute  // a new VM has a public address
	DeadlineVMSSH      = 8 * time.Minute  // sshd of a new or started VM answers
	DeadlineDocker     = 10 * time.Minute // cloud-init has installed Docker
	DeadlineContainer  = 10 * time.Minute // image pulled, tools installed, container up
	DeadlineBuild      = 25 * time.Minute // docker build on the machine; below the dead-man timer's 45
	DeadlineGuestSSH   = 2 * time.Minute  // mngrd's SSH server answers
	DeadlineTransfer   = 15 * time.Minute // git push and file transfers
	DeadlineOperation  = 30 * time.Minute // an ARM operation of a VM
	DeadlineGuestReply = 10 * time.Second // a running guest answers a question
	DeadlineGuestWork  = 2 * time.Minute  // a running guest starts, stops or removes an agent
	DeadlineList       = 30 * time.Second // all of one provider for `list`
)
