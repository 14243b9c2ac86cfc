package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"mngr/internal/agent"
)

// Scope names a settings file.
type Scope string

// Scopes, the weakest first.
const (
	ScopeUser    Scope = "user"
	ScopeProject Scope = "project"
	ScopeLocal   Scope = "local" // beside the project's file, not to be committed
)

// Names of files and of environment variables.
const (
	userFile    = "settings.toml"
	projectDir  = ".mngr"
	projectFile = "settings.toml"
	localFile   = "settings.local.toml"

	// EnvBaseDir names the base directory in place of ~/.mngr.
	EnvBaseDir = "MNGR_HOST_DIR"
	envPrefix  = "MNGR__"
)

// Files says where things are. Project and Local are empty outside a git repository.
type Files struct {
	BaseDir string // state, keys and the user's settings
	User    string
	Project string
	Local   string
}

// Path returns the file of a scope.
func (f Files) Path(scope Scope) (string, error) {
	switch scope {
	case ScopeUser:
		return f.User, nil
	case ScopeProject, ScopeLocal:
		if f.Project == "" {
			return "", agent.Errorf(agent.KindUsage, "scope %s needs a git repository, and this directory is in none", scope).
				WithHint("use --scope user")
		}
		if scope == ScopeProject {
			return f.Project, nil
		}
		return f.Local, nil
	}
	return "", agent.Errorf(agent.KindUsage, "%q is no scope", scope).WithHint("write user, project or local")
}

// Locate finds the settings files without reading them.
func Locate(opts Options) (Files, error) {
	base := opts.getenv(EnvBaseDir)
	if base == "" {
		if opts.Home == "" {
			return Files{}, agent.Errorf(agent.KindUsage, "neither HOME nor %s is set", EnvBaseDir).
				WithHint("set HOME")
		}
		base = filepath.Join(opts.Home, ".mngr")
	}
	if !filepath.IsAbs(base) {
		return Files{}, agent.Errorf(agent.KindUsage, "%s is %q, not an absolute path", EnvBaseDir, base).
			WithHint("write it from the root, for example %s", filepath.Join("/", "var", "lib", "mngr"))
	}
	files := Files{BaseDir: filepath.Clean(base), User: filepath.Join(base, userFile)}
	root, err := gitRoot(opts.WorkDir)
	if err != nil {
		return Files{}, err
	}
	if root != "" {
		files.Project = filepath.Join(root, projectDir, projectFile)
		files.Local = filepath.Join(root, projectDir, localFile)
	}
	// In a home directory that is itself a repository both names may mean one file.
	if files.Project == files.User {
		files.Project, files.Local = "", ""
	}
	return files, nil
}

// gitRoot returns the nearest directory at or above dir that holds .git, or "".
func gitRoot(dir string) (string, error) {
	if dir == "" {
		return "", nil
	}
	for {
		_, err := os.Lstat(filepath.Join(dir, ".git"))
		if err == nil {
			return dir, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("look for the git repository: %w", err)
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", nil
		}
		dir = parent
	}
}
