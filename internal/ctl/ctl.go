package ctl

import "time"

// Version is raised when a request or an answer changes its meaning.
const Version = 1

// Operations on the virtual machine (`mngrd ctl` over the VM's own sshd).
const (
	OpHostSetup  = "host.setup"  // Setup → SetupResult: bring the container up; idempotent
	OpHostBuild  = "host.build"  // Build → BuildResult: make the host's image; idempotent
	OpHostStatus = "host.status" // nothing → HostStatus
	OpHostStart  = "host.start"  // nothing → nothing: take an OpHostStop back
	OpHostStop   = "host.stop"   // nothing → nothing: end agents, stop the container, keep it stopped until the next boot
)

// Operations in the container (`mngrd ctl` over mngrd's own SSH server).
const (
	OpAgentPrepare = "agent.prepare" // AgentRef → Prepared: make state and work directory; idempotent
	OpAgentCreate  = "agent.create"  // AgentSpec → AgentStatus: check out, write the record, start
	OpAgentStart   = "agent.start"   // AgentRef → AgentStatus; already running is fine
	OpAgentStop    = "agent.stop"    // AgentRef → AgentStatus; already stopped is fine
	OpAgentRemove  = "agent.remove"  // AgentRef → nothing; absent is fine
	OpAgentEdit    = "agent.edit"    // AgentEdit → AgentStatus: take over name and labels, running or not
	OpStatus       = "status"        // nothing → ContainerStatus
)

// Request is what mngr sends.
type Request struct {
	Version int    `json:"version"`
	Op      string `json:"op"`

	Setup *Setup     `json:"setup,omitempty"`
	Build *Build     `json:"build,omitempty"`
	Ref   *AgentRef  `json:"ref,omitempty"`
	Agent *AgentSpec `json:"agent,omitempty"`
	Edit  *AgentEdit `json:"edit,omitempty"`
}

// Answer is what mngrd says. Exactly one of Error and the result is set.
type Answer struct {
	Version int    `json:"version"`
	Error   *Error `json:"error,omitempty"`

	Setup     *SetupResult     `json:"setup,omitempty"`
	Build     *BuildResult     `json:"build,omitempty"`
	Host      *HostStatus      `json:"host,omitempty"`
	Prepared  *Prepared        `json:"prepared,omitempty"`
	Agent     *AgentStatus     `json:"agent,omitempty"`
	Container *ContainerStatus `json:"container,omitempty"`
}

// Error codes that mngr decides on; any other code is shown as it is.
const (
	CodeNotFound    = "not_found"
	CodeExists      = "exists"
	CodeUsage       = "usage"
	CodeUnsupported = "unsupported" // for example an image that lacks tools and a package manager
	CodeFailed      = "failed"
	CodeBuild       = "build_failed" // docker build ended with a code; Detail holds its last lines
)

// Error is a failure inside the guest.
type Error struct {
	Code    string `json:"code"`
	Message string `json:"message"` // one line
	Detail  string `json:"detail,omitempty"`
}

func (e *Error) Error() string { return e.Message }

// ProgressPrefix starts a line on standard error that names the phase under way:
// "mngrd: phase: pulling debian:bookworm-slim". Other lines are for humans.
const ProgressPrefix = "mngrd: phase: "

// OutputPrefix starts a line on standard error that another program said, such as docker
// build: one line, without control characters.
const OutputPrefix = "mngrd: output: "

// Setup describes the one container of a host.
type Setup struct {
	HostID         string   `json:"host_id"`
	HostName       string   `json:"host_name"`
	Provider       string   `json:"provider"`
	Image          string   `json:"image"`           // pulled unless present
	SSHPort        int      `json:"ssh_port"`        // published on the VM's address, 2222 by default
	StartArgs      []string `json:"start_args"`      // further arguments of docker run, already checked
	AuthorizedKeys []string `json:"authorized_keys"` // clients of the container's SSH server
	Idle           Idle     `json:"idle"`
}

// Idle says when the host stops itself. TimeoutSeconds 0 means never.
type Idle struct {
	Mode           string `json:"mode"` // "" chooses by agent type
	TimeoutSeconds int    `json:"timeout_seconds"`
}

// SetupResult is the answer to OpHostSetup.
type SetupResult struct {
	ContainerHostKey string   `json:"container_host_key"` // authorized_keys form
	ContainerID      string   `json:"container_id"`
	Installed        []string `json:"installed,omitempty"` // packages that the image lacked
}

// HostStatus is the VM's view of its container.
type HostStatus struct {
	Configured       bool      `json:"configured"` // OpHostSetup has run
	HostID           string    `json:"host_id,omitempty"`
	ContainerState   string    `json:"container_state"`           // docker's word, or "absent"
	ContainerError   string    `json:"container_error,omitempty"` // why Docker does not say it
	ContainerHostKey string    `json:"container_host_key,omitempty"`
	BootTime         time.Time `json:"boot_time"`
	GuestHash        string    `json:"guest_hash"` // SHA-256 of the running mngrd, hexadecimal
	LastStop         *LastStop `json:"last_stop,omitempty"`
}

// LastStop says why the machine deallocated itself before this boot.
type LastStop struct {
	At     time.Time `json:"at"`
	Cause  string    `json:"cause"`            // idle, dead-man, auto-shutdown, stopped, silent or evicted
	Detail string    `json:"detail,omitempty"` // what the container wrote; hostile input
}

// AgentRef names an agent of this host.
type AgentRef struct {
	ID   string `json:"id,omitempty"`
	Name string `json:"name,omitempty"`
}

// AgentEdit is what the tags of a host say of an agent, for its own record to follow.
type AgentEdit struct {
	ID     string            `json:"id"`
	Name   string            `json:"name"`
	Labels map[string]string `json:"labels"`
}

// Prepared is the answer to OpAgentPrepare.
type Prepared struct {
	WorkDir string `json:"work_dir"` // absolute; a git repository that accepts a push
}

// AgentSpec is all there is to know to run an agent.
type AgentSpec struct {
	ID       string            `json:"id"`
	Name     string            `json:"name"`
	Type     string            `json:"type"` // "command", "shell" or a preset's name
	Labels   map[string]string `json:"labels,omitempty"`
	Argv     []string          `json:"argv,omitempty"` // run as argv, never through a shell
	Env      map[string]string `json:"env,omitempty"`
	IdleMode string            `json:"idle_mode,omitempty"`
	Git      *Git              `json:"git,omitempty"` // nil: an empty work directory
	Start    bool              `json:"start"`
	// Request tells two commands apart that make one agent: an agent that another request
	// has made is CodeExists. "" takes what there is.
	Request string `json:"request,omitempty"`
}

// Git says what to check out in the work directory after the push.
type Git struct {
	Base      string `json:"base"`             // a ref that was pushed
	Branch    string `json:"branch"`           // the branch to be on, made from Base
	Origin    string `json:"origin,omitempty"` // remote URL without user information
	UserName  string `json:"user_name,omitempty"`
	UserEmail string `json:"user_email,omitempty"`
}

// AgentStatus is one agent as its host sees it.
type AgentStatus struct {
	ID        string            `json:"id"`
	Name      string            `json:"name"`
	Type      string            `json:"type"`
	Labels    map[string]string `json:"labels,omitempty"`
	State     string            `json:"state"` // RUNNING, WAITING, DONE or STOPPED
	PID       int               `json:"pid,omitempty"`
	Command   []string          `json:"command,omitempty"`
	WorkDir   string            `json:"work_dir"`
	Branch    string            `json:"branch,omitempty"`
	CreatedAt time.Time         `json:"created_at"`
	StartedAt *time.Time        `json:"started_at,omitempty"`
	ExitCode  *int              `json:"exit_code,omitempty"`
}

// ContainerStatus is the answer to OpStatus.
type ContainerStatus struct {
	Agents       []AgentStatus `json:"agents"`
	BootTime     time.Time     `json:"boot_time"`
	IdleMode     string        `json:"idle_mode"`
	IdleTimeout  int           `json:"idle_timeout_seconds"`
	IdleSeconds  int           `json:"idle_seconds"`           // since the last activity
	SecondsLeft  *int          `json:"seconds_left,omitempty"` // until the host stops itself; nil: never
	ActivityName string        `json:"activity,omitempty"`     // the youngest activity's source
	Machine      *Machine      `json:"machine,omitempty"`      // as the virtual machine says; nil: not yet
	Disk         *Disk         `json:"disk,omitempty"`         // that the host's volume lies on, as a rule the machine's only one
}

// Disk is a file system, in bytes.
type Disk struct {
	Size int64 `json:"size"`
	Free int64 `json:"free"` // for root
}

// Machine is what a virtual machine knows of its own end.
type Machine struct {
	SelfStop    *bool      `json:"self_stop,omitempty"`     // Azure would let it deallocate itself; nil: nobody knows yet
	SelfStopWhy string     `json:"self_stop_why,omitempty"` // why not
	ShutdownAt  *time.Time `json:"shutdown_at,omitempty"`   // when its time is up; nil: never
}

// EnvAgent is the SSH environment variable with which a client asks the container's
// SSH server for an agent's work directory and environment (an agent id or name).
const EnvAgent = "MNGR_AGENT"

// Where mngrd lies on a virtual machine and, mounted read-only, in its container.
const (
	VMPath        = "/usr/local/lib/mngr/mngrd"
	ContainerPath = "/opt/mngr/mngrd"
)
