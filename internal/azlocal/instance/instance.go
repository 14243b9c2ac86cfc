package instance

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"path/filepath"

	"github.com/google/uuid"
)

// Instance is what stays the same for the life of a local Azure.
type Instance struct {
	Dir string `json:"-"`

	ID           string            `json:"id"` // 8 hexadecimal digits
	Tenant       string            `json:"tenant_id"`
	Subscription string            `json:"subscription_id"`
	ClientID     string            `json:"client_id"`
	ObjectID     string            `json:"object_id"`
	Port         int               `json:"port"`
	Driver       string            `json:"driver"`               // "docker", "qemu" or "none"
	DriverWhy    string            `json:"driver_why,omitempty"` // it was chosen; nothing where a person did
	Profile      string            `json:"profile"`              // "instant" or "realistic"
	Switches     map[string]string `json:"switches,omitempty"`
	Settings     map[string]string `json:"settings,omitempty"`
	Public       netip.Prefix      `json:"public"` // loopback addresses that play public ones
	Faces        Faces             `json:"faces,omitzero"`
}

// ErrNone says that there is no instance in a directory.
var ErrNone = errors.New("there is no local Azure here yet")

// Damaged is a file of the instance that cannot be used.
type Damaged struct {
	File string
	Err  error
}

// Error names the file and what is wrong with it.
func (d *Damaged) Error() string { return fmt.Sprintf("%s is damaged: %v", d.File, d.Err) }

// Unwrap returns what is wrong with the file.
func (d *Damaged) Unwrap() error { return d.Err }

// Dir is where the instance lives: $MNGR_AZLOCAL_DIR, else below the user's state
// directory. The directory of a principal leads to its instance.
func Dir() (string, error) {
	dir, err := given()
	if err != nil {
		return "", err
	}
	if p, err := readPrincipal(dir); err == nil {
		return p.Instance, nil
	}
	return dir, nil
}

// Acting returns the principal whose directory the environment names; ok is false for the
// instance's own.
func Acting() (p Principal, ok bool) {
	dir, err := given()
	if err == nil {
		p, err = readPrincipal(dir)
	}
	return p, err == nil
}

func given() (string, error) {
	if dir := os.Getenv("MNGR_AZLOCAL_DIR"); dir != "" {
		return filepath.Abs(dir)
	}
	if state := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(state) {
		return filepath.Join(state, "mngr", "azlocal"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("find the state directory: %w", err)
	}
	return filepath.Join(home, ".local", "state", "mngr", "azlocal"), nil
}

// Load reads the instance of a directory. Without one the error is ErrNone.
func Load(dir string) (*Instance, error) {
	data, err := os.ReadFile(filepath.Join(dir, "instance.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNone
	}
	if err != nil {
		return nil, fmt.Errorf("read the instance: %w", err)
	}
	i := &Instance{Dir: dir}
	if err := json.Unmarshal(data, i); err != nil {
		return nil, &Damaged{File: i.Path("instance.json"), Err: err}
	}
	if i.ID == "" || i.Port == 0 || !i.Public.IsValid() {
		return nil, &Damaged{File: i.Path("instance.json"), Err: errors.New("ids, port or addresses are missing")}
	}
	return i, nil
}

// Create makes an instance with new ids and a free port. It is not stored yet.
func Create(dir string) (*Instance, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the state directory: %w", err)
	}
	if err := os.Chmod(dir, 0o700); err != nil { //nolint:gosec // a directory; nobody else reads it
		return nil, fmt.Errorf("close the state directory to others: %w", err)
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	public, err := freePublic()
	if err != nil {
		return nil, err
	}
	return &Instance{
		Dir: dir, ID: uuid.NewString()[:8], Tenant: uuid.NewString(), Subscription: uuid.NewString(),
		ClientID: uuid.NewString(), ObjectID: uuid.NewString(), Port: port, Profile: "instant",
		Switches: map[string]string{},
		Public:   public,
	}, nil
}

// Save stores the instance.
func (i *Instance) Save() error { return i.writeJSON("instance.json", i) }

// Path is a file of the instance.
func (i *Instance) Path(name string) string { return filepath.Join(i.Dir, name) }

// Endpoint is ARM's URL.
func (i *Instance) Endpoint() string { return fmt.Sprintf("https://127.0.0.1:%d", i.Port) }

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// claimPort is where a running instance holds its public addresses: nobody else listens on
// it. The host's own programs seldom do on such an address.
const claimPort = 8471

// Claim holds an instance's public addresses against others of this computer as long as
// the listener is open.
func Claim(public netip.Prefix) (net.Listener, error) {
	at := netip.AddrPortFrom(public.Masked().Addr().Next(), claimPort)
	l, err := net.Listen("tcp", at.String())
	if err != nil {
		return nil, fmt.Errorf("claim the addresses %s: %w", public, err)
	}
	return l, nil
}

// freePublic picks a /16 of 127.16.0.0 to 127.239.255.255 at random that no instance on
// this computer has claimed.
func freePublic() (netip.Prefix, error) {
	var last error
	for _, n := range rand.Perm(224) { //nolint:gosec // addresses on loopback are no secret
		public := netip.PrefixFrom(netip.AddrFrom4([4]byte{127, byte(16 + n), 0, 0}), 16) //nolint:gosec // n is below 224
		l, err := Claim(public)
		if err == nil {
			return public, l.Close()
		}
		last = err
	}
	return netip.Prefix{}, fmt.Errorf("find loopback addresses that are free: %w", last)
}

// writeFile replaces a file of the instance whole or not at all, whoever else does too.
func (i *Instance) writeFile(name string, data []byte) error {
	if err := i.replace(name, data); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}

func (i *Instance) replace(name string, data []byte) error {
	f, err := os.CreateTemp(i.Dir, name+".*.new") // its owner's only
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(f.Name(), i.Path(name))
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

func (i *Instance) writeJSON(name string, v any) error {
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("encode %s: %w", name, err)
	}
	return i.writeFile(name, append(data, '\n'))
}
