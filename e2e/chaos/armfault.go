package chaos

import (
	"fmt"
	"strings"
	"syscall"

	"mngr/e2e/rig"
)

// call is the nth call of an operation that a command sends.
type call struct {
	operation string
	nth       int
	write     bool
	begins    bool // an operation at Azure, which could fail
}

// trouble is one kind of thing that goes wrong at a call.
type trouble struct {
	name   string
	fault  rig.Fault      // without operation and number
	signal syscall.Signal // sent to the command while its call is held; 0: none
	needs  func(call) bool
}

// troubles are all kinds. A command that is interrupted goes on once it was told; one that
// is killed does not.
func troubles() []trouble {
	begins := func(c call) bool { return c.begins }
	return []trouble{
		{name: "kill-before", fault: rig.Fault{Effect: "hold-before"}, signal: syscall.SIGKILL},
		{name: "kill-after", fault: rig.Fault{Effect: "hold-after"}, signal: syscall.SIGKILL},
		{name: "drop-after", fault: rig.Fault{Effect: "drop-after"}},
		{name: "429", fault: rig.Fault{Effect: "status", Status: 429, RetryAfter: 1}},
		{name: "500", fault: rig.Fault{Effect: "status", Status: 500}},
		{name: "409", fault: rig.Fault{Effect: "status", Status: 409}},
		{name: "fails", fault: rig.Fault{Effect: "operation-fails", Code: "InternalExecutionError"}, needs: begins},
		{name: "interrupt", fault: rig.Fault{Effect: "hold-after"}, signal: syscall.SIGINT},
	}
}

// way is what an operator does after the trouble.
type way string

// The ways: to repeat the command, to destroy what there is, or to leave all to gc.
const (
	repeat  way = "repeat"
	destroy way = "destroy"
	leave   way = "leave"
)

// attempt is one run of a command with one trouble, and what is done after it.
type attempt struct {
	verb    verb
	call    call
	trouble trouble
	way     way
}

// passing tells whether the trouble is one that a command gets over by itself: Azure is busy,
// once, or somebody else writes to the machine. What a 409 at the creation of a machine, or
// in what prepare and cleanup do, is about, only their user knows; reads get none.
func (a attempt) passing() bool {
	switch a.trouble.name {
	case "429", "500":
		return true
	case "409":
		creates := strings.HasPrefix(a.verb.name, "create") && a.call.operation == "Microsoft.Compute/virtualMachines/write"
		return a.call.write && !a.verb.setup && !creates
	}
	return false
}

// point is where the trouble comes.
func (a attempt) point() string {
	return fmt.Sprintf("%s/%s#%d/%s", a.verb.name, a.call.operation, a.call.nth, a.trouble.name)
}

// String names the attempt as CASE= takes it.
func (a attempt) String() string { return a.point() + "/" + string(a.way) }
