package agent

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

// Candidate is one way to make a machine: where, and how large.
type Candidate struct{ Region, Size string }

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
