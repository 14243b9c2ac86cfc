package guest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"mngr/internal/guest/idle"
	"mngr/internal/hostsetup"
)

// paths are the places that the container's start command mounts or that init makes.
type paths struct {
	opt    string // read-only, from the virtual machine: mngrd, keys, config.json
	root   string // the host's volume
	run    string // the worker's socket
	signal string // the one directory that the virtual machine watches
	listen string // of the SSH server
}

var defaultPaths = paths{opt: "/opt/mngr", root: "/mngr", run: "/run/mngr", signal: "/run/mngr-signal", listen: ":22"}

func (p paths) hostKey() string        { return filepath.Join(p.opt, "host_key") }
func (p paths) authorizedKeys() string { return filepath.Join(p.opt, "authorized_keys") }
func (p paths) config() string         { return filepath.Join(p.opt, "config.json") }
func (p paths) socket() string         { return filepath.Join(p.run, "ctl.sock") }
func (p paths) machine() string        { return filepath.Join(p.opt, hostsetup.FileMachine) }

func (p paths) signals() idle.Signals {
	return idle.Signals{Dir: p.signal, Idle: hostsetup.SignalIdle, Alive: hostsetup.SignalAlive}
}

// Docker kills a container ten seconds after it asked it to stop. Within them an agent
// has agentGrace between SIGTERM and SIGKILL, and the worker workerGrace for everything.
const (
	agentGrace  = 5 * time.Second
	workerGrace = 8500 * time.Millisecond
)

const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// prepareContainer makes what an image may lack: directories, and an environment that a
// login would have set.
func prepareContainer(p paths) error {
	for dir, mode := range map[string]os.FileMode{
		"/tmp": os.ModeSticky | 0o777, "/run": 0o755, "/root": 0o700, p.run: 0o700, p.root: 0o755,
	} {
		if _, err := os.Stat(dir); err == nil {
			continue
		}
		if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // users of the image come through here
			return fmt.Errorf("prepare the container: %w", err)
		}
		if err := os.Chmod(dir, mode); err != nil { // past the umask
			return fmt.Errorf("prepare the container: %w", err)
		}
	}
	for _, kv := range missingEnv(os.Getenv) {
		k, v, _ := strings.Cut(kv, "=")
		if err := os.Setenv(k, v); err != nil {
			return fmt.Errorf("prepare the container: %w", err)
		}
	}
	return nil
}

// missingEnv is the part of a login's environment that an image did not set itself.
// ~/.local/bin is where coding agents install themselves.
func missingEnv(getenv func(string) string) []string {
	env := []string{"USER=root", "LOGNAME=root"}
	home := getenv("HOME")
	if home == "" || home == "/" {
		home = "/root"
		env = append(env, "HOME="+home)
	}
	path := getenv("PATH")
	if path == "" {
		path = defaultPath
	}
	if local := home + "/.local/bin"; !strings.Contains(":"+path+":", ":"+local+":") {
		env = append(env, "PATH="+path+":"+local)
	}
	if getenv("LANG") == "" && getenv("LC_ALL") == "" {
		env = append(env, "LANG=C.UTF-8")
	}
	if getenv("TERM") == "" {
		env = append(env, "TERM=xterm-256color")
	}
	return env
}
