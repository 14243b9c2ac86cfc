package fleet

import (
	"context"

	"mngr/internal/agent"
)

// Machines is a provider instance: the machines of one subscription and resource group.
//
// Every method honours its context. Errors are *agent.Error where a kind is known.
// A host is named by agent.Host.Resource, the provider's own id of the machine.
type Machines interface {
	// Name is the provider instance's name, the value of the tag mngr-provider.
	Name() string
	// ControlPlane tells what a machine in region must know.
	ControlPlane(ctx context.Context, region string) (agent.ControlPlane, error)
	// Candidates are the machines to try for a spec, the one asked for first, with region
	// and size filled in. The others are for where the provider has no such machine now.
	Candidates(spec agent.MachineSpec) []agent.Candidate
	// Preflight refuses, before anything is written, what cannot work: credentials
	// missing, not prepared, an unknown size, a size that cannot be Spot.
	Preflight(ctx context.Context, spec agent.MachineSpec) error
	// Create asks for the machine and returns when the request is accepted or refused.
	// A taken name is agent.KindExists. After a refusal nothing is left.
	Create(ctx context.Context, spec agent.MachineSpec, progress agent.Progress) (Creation, error)
	// List returns every machine of ours with its state, whoever made it. Tags are as
	// stored; fleet reads the records in them.
	List(ctx context.Context) ([]agent.Host, error)
	// Names returns every machine of ours by what its tags and Azure's list say, most without
	// a state and all without an address: it is one request where List is several.
	Names(ctx context.Context) ([]agent.Host, error)
	// Get returns one machine with its state and address.
	Get(ctx context.Context, resource string) (agent.Host, error)
	// Start allocates and boots a machine. With wait it returns when the operation is terminal.
	Start(ctx context.Context, resource string, wait bool, progress agent.Progress) error
	// Stop deallocates a machine; nothing but storage is billed afterwards. The end of ctx
	// ends the wait and not the request.
	Stop(ctx context.Context, resource string, wait bool, progress agent.Progress) error
	// Destroy deletes a machine, its role assignment, disk, interface and address, and
	// checks that they are gone. Absent is fine.
	Destroy(ctx context.Context, host agent.Host, progress agent.Progress) error
	// MergeTags writes tags and leaves the others; the empty value of a key in remove
	// deletes it. It must not run while an operation on the machine is under way.
	MergeTags(ctx context.Context, resource string, set map[string]string, remove []string) error
	// EditTags writes tags and deletes others in one request, which is refused with
	// agent.ErrChanged if anybody has changed the machine since host was read.
	EditTags(ctx context.Context, host agent.Host, set map[string]string, remove []string) error
	// Leftovers returns the parts of hosts that no machine uses. A look that fails is an
	// error, never an empty answer.
	Leftovers(ctx context.Context) ([]agent.Leftover, error)
	// RemoveLeftover deletes what Leftovers has returned. Absent is fine.
	RemoveLeftover(ctx context.Context, l agent.Leftover, progress agent.Progress) error
	// Rates are what hosts cost, in their order. It never fails and never takes longer than
	// a few seconds: what it does not know then, it says so.
	Rates(ctx context.Context, hosts []agent.Host) []agent.Rate
	// Planned is a host that does not exist yet as it would be billed.
	Planned(spec agent.MachineSpec) agent.Host
	// LetStopItself gives an existing machine the right to deallocate itself; if it cannot,
	// why. Repeating it is harmless.
	LetStopItself(ctx context.Context, resource string) (ok bool, why string)
}

// Creation is a machine whose request has been accepted.
type Creation interface {
	// Host is the machine as accepted.
	Host() agent.Host
	// Address waits until the public address is known.
	Address(ctx context.Context) (string, error)
	// Wait returns when the operation is terminal. On failure the machine is left as it
	// is: Undo removes it.
	Wait(ctx context.Context) error
	// Undo removes the machine and all that belongs to it.
	Undo(ctx context.Context, progress agent.Progress) error
	// SelfStop tells whether the machine may deallocate itself; if not, why.
	SelfStop() (ok bool, why string)
}
