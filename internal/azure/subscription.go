package azure

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode/utf8"

	"mngr/internal/agent"
)

// subscription finds the subscription to work in: the settings' (a flag is one of them),
// the environment's, else the one that `az` has active. The local Azure has its own.
func (s Settings) subscription(ctx context.Context, at *place) (string, error) {
	if s.SubscriptionID != "" {
		return s.SubscriptionID, nil
	}
	if at.local != nil {
		return at.local.SubscriptionID, nil
	}
	if id := strings.TrimSpace(os.Getenv("AZURE_SUBSCRIPTION_ID")); id != "" {
		return id, nil
	}
	profile, err := readProfile(ctx)
	if err != nil {
		return "", err
	}
	id, why := profile.active(at.azName)
	if id == "" {
		return "", agent.Errorf(agent.KindCredentials, "no Azure subscription: %s", why).WithHint(
			"az login # then: az account set --subscription ID; or set AZURE_SUBSCRIPTION_ID, or: mngr config set providers.%s.subscription_id ID", s.Name)
	}
	return id, nil
}

// Patience with a profile that az is rewriting in place.
const (
	profileTries = 3
	profilePause = 100 * time.Millisecond
)

// readProfile reads az's profile. A file that cannot be understood may be a write under
// way, so it gets another look; then it counts as empty, with a reason.
func readProfile(ctx context.Context) (azProfile, error) {
	dir, ok := azDir()
	if !ok {
		return azProfile{}, nil
	}
	path := filepath.Join(dir, "azureProfile.json")
	for try := 1; ; try++ {
		raw, err := os.ReadFile(path)
		if errors.Is(err, os.ErrNotExist) {
			return azProfile{}, nil
		}
		if err == nil {
			if p, ok := parseProfile(raw); ok {
				return p, nil
			}
			err = errors.New("it is no whole profile")
		}
		if try == profileTries {
			return azProfile{trouble: fmt.Sprintf("%s cannot be read: %s", path, oneLine(err.Error()))}, nil
		}
		if err := pause(ctx, profilePause); err != nil {
			return azProfile{}, err
		}
	}
}

// Subscription is the id of the instance's subscription, as far as that is known without
// asking Azure.
func (p *Provider) Subscription(ctx context.Context) (string, error) {
	at, err := p.settings.place()
	if err != nil {
		return "", err
	}
	return p.settings.subscription(ctx, at)
}

// AzHasLogin tells whether az knows a subscription, as it does between `az login` and `az
// logout`. What cannot be read may be a login. az itself is not asked.
func AzHasLogin() bool {
	dir, ok := azDir()
	if !ok {
		return false
	}
	raw, err := os.ReadFile(filepath.Join(dir, "azureProfile.json"))
	if err != nil {
		return !errors.Is(err, os.ErrNotExist)
	}
	profile, ok := parseProfile(raw)
	return !ok || len(profile.Subscriptions) > 0
}

// azProfile is azureProfile.json, as far as we read it.
type azProfile struct {
	Subscriptions []struct {
		ID        string `json:"id"`
		Name      string `json:"name"`
		IsDefault bool   `json:"isDefault"`
		State     string `json:"state"`
		Cloud     string `json:"environmentName"`
	} `json:"subscriptions"`

	trouble string
}

// parseProfile returns false for what is not a whole profile. az writes a byte order mark.
func parseProfile(raw []byte) (azProfile, bool) {
	raw = bytes.TrimSpace(bytes.TrimPrefix(raw, []byte("\ufeff")))
	var p azProfile
	if !utf8.Valid(raw) || !bytes.HasPrefix(raw, []byte("{")) || json.Unmarshal(raw, &p) != nil {
		return azProfile{}, false
	}
	return p, true
}

// active is az's own choice where it can be used in a cloud, which has the name that az
// gives it, "" for one that az need not know; else it says why there is none.
func (p azProfile) active(cloud string) (id, why string) {
	if p.trouble != "" {
		return "", p.trouble
	}
	why = "nobody is logged in with az"
	for _, s := range p.Subscriptions {
		switch {
		case !s.IsDefault || s.ID == "":
		case s.State != "" && s.State != "Enabled":
			why = fmt.Sprintf("az's active subscription %q is %s", s.Name, strings.ToLower(s.State))
		case cloud != "" && s.Cloud != "" && s.Cloud != cloud:
			why = fmt.Sprintf("az is logged in to %s, not to %s (`az cloud set --name %s` changes that)", s.Cloud, cloud, cloud)
		default:
			return s.ID, ""
		}
	}
	return "", why
}
