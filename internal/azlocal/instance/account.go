package instance

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// accountsFile holds what the directory knows of service principals beyond their secrets.
const accountsFile = "accounts.json"

// Account is what the directory knows of a service principal.
type Account struct {
	Made          time.Time `json:"made,omitzero"`           // zero: with the instance
	ValidFrom     time.Time `json:"tokens_valid_from"`       // zero: never revoked
	SecretExpired bool      `json:"secret_expired,omitzero"` // until there is a new secret
}

// Accounts reads the accounts by object id.
func (i *Instance) Accounts() (map[string]Account, error) {
	all := map[string]Account{}
	data, err := os.ReadFile(i.Path(accountsFile))
	if errors.Is(err, fs.ErrNotExist) {
		return all, nil
	}
	if err == nil {
		err = json.Unmarshal(data, &all)
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", accountsFile, err)
	}
	return all, nil
}

// ChangeAccount changes the account of an object id; change gets a new one where there is
// none, and returns whether it stays. Calls must not overlap.
func (i *Instance) ChangeAccount(objectID string, change func(*Account) (stays bool)) (Account, error) {
	all, err := i.Accounts()
	if err != nil {
		return Account{}, err
	}
	account := all[objectID]
	if change(&account) {
		all[objectID] = account
	} else {
		delete(all, objectID)
	}
	return account, i.writeJSON(accountsFile, all)
}

// NewSecret replaces the secret in a principal's directory, or the instance's own.
func (i *Instance) NewSecret(dir string) error {
	secret, err := newSecret()
	if err != nil {
		return err
	}
	own := *i // its file is written as an instance's is
	own.Dir = dir
	return own.writeFile("client_secret", secret)
}

// RemovePrincipal deletes a principal's directory. Its mark goes first: without it the
// principal does not exist.
func (i *Instance) RemovePrincipal(p Principal) error {
	if err := os.Remove(filepath.Join(p.Dir, principalFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove principal %s: %w", p.Name, err)
	}
	if err := os.RemoveAll(p.Dir); err != nil {
		return fmt.Errorf("remove principal %s: %w", p.Name, err)
	}
	return nil
}
