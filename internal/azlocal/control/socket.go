package control

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
)

// name of the socket in the state directory.
const name = "control.sock"

// maxPath is the longest path of a socket that every system takes.
const maxPath = 100

// Listen makes the socket in dir. A stale one is replaced: the caller holds the lock of
// the instance.
func Listen(dir string) (net.Listener, error) {
	path, done, err := reach(dir)
	if err != nil {
		return nil, err
	}
	defer done()
	if err := os.Remove(filepath.Join(dir, name)); err != nil && !os.IsNotExist(err) {
		return nil, fmt.Errorf("remove the old control socket: %w", err)
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("make the control socket: %w", err)
	}
	l.SetUnlinkOnClose(false)
	// The directory is 0700 already; the mode of the socket says so once more.
	if err := os.Chmod(filepath.Join(dir, name), 0o600); err != nil {
		return nil, fmt.Errorf("close the control socket to others: %w", err)
	}
	return l, nil
}

// Refused is the daemon's answer to a request that makes no sense.
type Refused struct{ Text string }

// Error returns the daemon's own words.
func (r *Refused) Error() string { return r.Text }

// Call sends a request to the daemon of dir and decodes its answer into out, unless nil.
// The error is a *Refused where the daemon would not.
func Call(ctx context.Context, dir, method, path string, in, out any) error {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		socket, done, err := reach(dir)
		if err != nil {
			return nil, err
		}
		defer done()
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}}}
	body, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("encode a control request: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://azlocal"+path, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("make a control request: %w", err)
	}
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("ask the daemon: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 4096))
		return &Refused{Text: string(bytes.TrimSpace(text))}
	}
	if out == nil {
		return nil
	}
	if err := json.NewDecoder(resp.Body).Decode(out); err != nil {
		return fmt.Errorf("read the daemon's answer: %w", err)
	}
	return nil
}

// reach is a path of the socket that is short enough for the kernel: through an open
// directory where dir is deep.
func reach(dir string) (path string, done func(), err error) {
	path = filepath.Join(dir, name)
	if len(path) <= maxPath {
		return path, func() {}, nil
	}
	if runtime.GOOS != "linux" {
		return "", nil, fmt.Errorf("the state directory's path %s is too long for a socket: choose a shorter one with MNGR_AZLOCAL_DIR", dir)
	}
	f, err := os.Open(dir)
	if err != nil {
		return "", nil, fmt.Errorf("open the state directory: %w", err)
	}
	return fmt.Sprintf("/proc/self/fd/%d/%s", f.Fd(), name), func() { f.Close() }, nil
}
