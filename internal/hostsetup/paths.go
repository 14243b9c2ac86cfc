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
)

// Files in StateDir.
const (
	FileHost       = "host.json"   // the ctl.Setup and what was made of it
	FileStopReason = "stop-reason" // why the machine last deallocated itself: at=, cause=, detail=
	FileSetupDone  = "setup-done"
)
