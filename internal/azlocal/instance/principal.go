package instance

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"

	"github.com/google/uuid"
)

// principalFile marks the directory of a principal and says whose it is.
const principalFile = "principal.json"

// Principal is a service principal beside the instance's own. Its directory is a state
// directory with another client.json: whoever is given it as MNGR_AZLOCAL_DIR uses the
// same instance with the principal's rights.
type Principal struct {
	Name     string `json:"name"`
	ClientID string `json:"client_id"`
	ObjectID string `json:"object_id"`
	Instance string `json:"instance"` // state directory of the instance
	Dir      string `json:"-"`
}

var principalName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,31}$`)

// SecretFile holds the principal's client secret.
func (p Principal) SecretFile() string { return filepath.Join(p.Dir, "client_secret") }

// Secret reads the principal's client secret.
func (p Principal) Secret() (string, error) {
	data, err := os.ReadFile(p.SecretFile())
	if err != nil {
		return "", fmt.Errorf("read the secret of principal %s: %w", p.Name, err)
	}
	return string(data), nil
}

// Principals lists the principals of the instance.
func (i *Instance) Principals() ([]Principal, error) {
	entries, err := os.ReadDir(i.Path("principals"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("list principals: %w", err)
	}
	var out []Principal
	for _, entry := range entries {
		p, err := readPrincipal(filepath.Join(i.Path("principals"), entry.Name()))
		if errors.Is(err, fs.ErrNotExist) {
			continue // it is being made
		}
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

// Own is the name of the instance's own principal.
const Own = "owner"

// ErrNoPrincipal says that a name is nobody's.
var ErrNoPrincipal = errors.New("there is no such principal")

// Principal returns the principal of a name; Own is the instance's.
func (i *Instance) Principal(name string) (Principal, error) {
	if name == Own {
		return Principal{Name: Own, ClientID: i.ClientID, ObjectID: i.ObjectID, Instance: i.Dir, Dir: i.Dir}, nil
	}
	if principalName.MatchString(name) {
		p, err := readPrincipal(filepath.Join(i.Path("principals"), name))
		if !errors.Is(err, fs.ErrNotExist) {
			return p, err
		}
	}
	return Principal{}, fmt.Errorf("%w: %q", ErrNoPrincipal, name)
}

// AddPrincipal makes a principal, or returns the one that has the name.
func (i *Instance) AddPrincipal(name string) (Principal, error) {
	if !principalName.MatchString(name) {
		return Principal{}, fmt.Errorf("%q is no name of a principal: small letters, digits and -, at most 32", name)
	}
	p, err := i.Principal(name)
	if err == nil || !errors.Is(err, ErrNoPrincipal) {
		return p, err
	}
	dir := filepath.Join(i.Path("principals"), name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return p, fmt.Errorf("make the directory of principal %s: %w", name, err)
	}
	p = Principal{Name: name, ClientID: uuid.NewString(), ObjectID: uuid.NewString(), Instance: i.Dir, Dir: dir}
	own := *i // its files are written as an instance's are
	own.Dir = dir
	secret, err := newSecret()
	if err != nil {
		return p, err
	}
	if err := own.writeFile("client_secret", secret); err != nil {
		return p, err
	}
	client := i.Client()
	client.ClientID, client.ClientSecretFile = p.ClientID, p.SecretFile()
	if err := own.writeJSON("client.json", client); err != nil {
		return p, err
	}
	return p, own.writeJSON(principalFile, p) // last: with it the principal exists
}

func readPrincipal(dir string) (Principal, error) {
	data, err := os.ReadFile(filepath.Join(dir, principalFile))
	if err != nil {
		return Principal{}, fmt.Errorf("read a principal: %w", err)
	}
	p := Principal{Dir: dir}
	if err := json.Unmarshal(data, &p); err != nil {
		return p, fmt.Errorf("read a principal: %w", err)
	}
	return p, nil
}
