package hostsetup

// Places on the virtual machine. /run is a tmpfs: what lies there ends with the boot.
const (
	LibDir    = "/usr/local/lib/mngr" // mngrd and the scripts
	Mngrd     = LibDir + "/mngrd"
	StateDir  = "/var/lib/mngr"     // 0700: records, never mounted anywhere
	RunDir    = "/run/mngr"         // 0755: what this boot knows
	SignalDir = "/run/mngr-signal"  // the tmpfs that the container may write
	GuestDir  = StateDir + "/guest" // read-only in the container
	Service   = "mngrd.service"     // runs `mngrd vm`

	Deallocate = "mngr-deallocate.service" // deallocates the machine with its own identity
	Setup      = "mngr-setup.service"      // installs Docker

	// DeallocateScript with the argument "check" tells whether Azure would let the machine
	// deallocate itself: code 0 yes, 1 no with the reason on its last line, 2 unknown.
	DeallocateScript = LibDir + "/deallocate.sh"
	// EnvAutoShutdown is the variable of our units with the machine's lifetime in seconds.
	EnvAutoShutdown = "AUTO_SHUTDOWN"
)

// Places in the container.
const (
	GuestMount = "/opt/mngr" // GuestDir, read-only
	DataMount  = "/mngr"     // the volume with the agents' data
)

// Files in RunDir.
const (
	FileReported    = "reported"     // mngrd has the container up: the dead-man timer does nothing
	FileStopped     = "stopped"      // the container stays down until the next boot
	FilePhase       = "phase"        // what setup does now
	FileSetupFailed = "setup-failed" // why setup failed, with the end of its log
	FileLastStop    = "last-stop"    // FileStopReason of the boot before
	FileRefused     = "refused"      // why Azure refuses to deallocate the machine, while it does

	// DirStop holds a file for each cause for which the machine is to deallocate itself.
	DirStop = "stop"
)

// Causes of a machine's own deallocation, in FileStopReason. All but CauseIdle, which the
// container reports, are names of files in DirStop.
const (
	CauseIdle         = "idle"
	CauseDeadMan      = "dead-man"      // nobody set the machine up
	CauseAutoShutdown = "auto-shutdown" // its time was up
	CauseStopped      = "stopped"       // its container was stopped, and nobody deallocated it
	CauseSilent       = "silent"        // its container was down, or did not report
	CauseEvicted      = "evicted"       // Azure took the Spot machine's place
)

// Files in SignalDir, written by the container.
const (
	SignalIdle  = "idle"  // the host is idle
	SignalAlive = "alive" // rewritten while the watcher can tell whether the host is idle
)

// Files in StateDir.
const (
	FileHost       = "host.json"   // the ctl.Setup and what was made of it
	FileStopReason = "stop-reason" // why the machine deallocates itself: at=, cause=, detail=
	FileSetupDone  = "setup-done"
)

// FileMachine lies in GuestDir, and so in GuestMount, and holds a ctl.Machine.
const FileMachine = "machine.json"
