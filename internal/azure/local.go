package azure

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"mngr/internal/agent"
)

// ErrLocalNeverUsed says that no local Azure has been started here, or none since a reset, so that there
// is nothing to list and nothing to complain about.
var ErrLocalNeverUsed = errors.New("there is no local Azure here: it has not been started, or was reset")

// localState is client.json: how a client reaches the local Azure and logs in there.
type localState struct {
	Endpoint         string `json:"endpoint"`
	Authority        string `json:"authority"`
	CAFile           string `json:"ca_file"`
	TenantID         string `json:"tenant_id"`
	SubscriptionID   string `json:"subscription_id"`
	ClientID         string `json:"client_id"`
	ClientSecretFile string `json:"client_secret_file"`
}

func localDir(configured string) (string, error) {
	if configured != "" {
		return configured, nil
	}
	if dir := os.Getenv("MNGR_AZLOCAL_DIR"); dir != "" {
		return dir, nil
	}
	base := os.Getenv("XDG_STATE_HOME")
	if base == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", fmt.Errorf("find the local Azure's state directory: %w", err)
		}
		base = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(base, "mngr", "azlocal"), nil
}

func readLocalState(configured string) (*localState, error) {
	dir, err := localDir(configured)
	if err != nil {
		return nil, err
	}
	raw, err := os.ReadFile(filepath.Join(dir, "client.json"))
	if errors.Is(err, os.ErrNotExist) {
		return nil, localError(agent.KindNotPrepared, "there is no local Azure here: it has not been started, or was reset", ErrLocalNeverUsed)
	}
	if err != nil {
		return nil, fmt.Errorf("read how to reach the local Azure: %w", err)
	}
	var st localState
	if err := json.Unmarshal(raw, &st); err != nil {
		return nil, fmt.Errorf("read %s: %w", filepath.Join(dir, "client.json"), err)
	}
	st.CAFile = within(dir, st.CAFile)
	st.ClientSecretFile = within(dir, st.ClientSecretFile)
	return &st, nil
}

func within(dir, path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

func (st *localState) secret() (string, error) {
	raw, err := os.ReadFile(st.ClientSecretFile)
	if err != nil {
		return "", fmt.Errorf("read the local Azure's client secret: %w", err)
	}
	return strings.TrimSpace(string(raw)), nil
}

// reachable dials the endpoint once: the SDK would try a refused connection four times
// over ten seconds before it said the same.
func (st *localState) reachable(ctx context.Context) error {
	u, err := url.Parse(st.Endpoint)
	if err != nil {
		return fmt.Errorf("the local Azure's endpoint %q: %w", st.Endpoint, err)
	}
	limit, done := agent.Within(ctx, agent.DeadlineLocal, "reaching the local Azure")
	defer done(nil)
	var dialer net.Dialer
	conn, err := dialer.DialContext(limit, "tcp", u.Host)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return localError(agent.KindUnreachable, "the local Azure is not running", err)
	}
	return conn.Close()
}

func localError(kind agent.Kind, cause string, err error) error {
	return &agent.Error{Kind: kind, Cause: cause, Hint: "mngr azure local up", Err: err}
}
