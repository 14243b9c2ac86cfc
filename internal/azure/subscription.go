package azure

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"time"

	"mngr/internal/agent"
)

// subscription finds the subscription to work in: the settings', the environment's,
// else the one that `az` has active. The local Azure has its own.
func (s Settings) subscription(ctx context.Context, at *place) (string, error) {
	if s.SubscriptionID != "" {
		return s.SubscriptionID, nil
	}
	if at.local != nil {
		return at.local.SubscriptionID, nil
	}
	if id := os.Getenv("AZURE_SUBSCRIPTION_ID"); id != "" {
		return id, nil
	}
	id, err := activeSubscription(ctx)
	if err != nil {
		return "", err
	}
	if id == "" {
		return "", agent.Errorf(agent.KindCredentials, "no Azure subscription: nobody is logged in with az").WithHint(
			"az login   (or set AZURE_SUBSCRIPTION_ID, or: mngr config set providers.%s.subscription_id ID)", s.Name)
	}
	return id, nil
}

// activeSubscription reads az's profile, which az rewrites in place: a file that cannot
// be read may be a write under way, so it gets another look.
func activeSubscription(ctx context.Context) (string, error) {
	dir := os.Getenv("AZURE_CONFIG_DIR")
	if dir == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", nil
		}
		dir = filepath.Join(home, ".azure")
	}
	for range 3 {
		raw, err := os.ReadFile(filepath.Join(dir, "azureProfile.json"))
		if errors.Is(err, os.ErrNotExist) {
			return "", nil
		}
		if err == nil {
			if id, ok := parseProfile(raw); ok {
				return id, nil
			}
		}
		if err := pause(ctx, 100*time.Millisecond); err != nil {
			return "", err
		}
	}
	return "", nil
}

// parseProfile returns the enabled default subscription, "" when there is none, and
// false for what is not a whole profile. az writes a byte order mark.
func parseProfile(raw []byte) (id string, ok bool) {
	var profile struct {
		Subscriptions []struct {
			ID        string `json:"id"`
			IsDefault bool   `json:"isDefault"`
			State     string `json:"state"`
		} `json:"subscriptions"`
	}
	if json.Unmarshal(bytes.TrimPrefix(raw, []byte("\ufeff")), &profile) != nil {
		return "", false
	}
	for _, s := range profile.Subscriptions {
		if s.IsDefault && s.ID != "" && (s.State == "" || s.State == "Enabled") {
			return s.ID, true
		}
	}
	return "", true
}
