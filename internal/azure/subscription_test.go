package azure

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mngr/internal/agent"
)

const (
	bom         = "\ufeff"
	goodProfile = bom + `{"installationId":"x","subscriptions":[{"id":"other","isDefault":false,"state":"Enabled"},` +
		`{"id":"mine","name":"Mine","isDefault":true,"state":"Enabled","environmentName":"AzureCloud"}]}`
)

func writeProfile(t testing.TB, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(os.Getenv("AZURE_CONFIG_DIR"), "azureProfile.json"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestSubscriptionOrder: settings, environment, az.
func TestSubscriptionOrder(t *testing.T) {
	t.Setenv("AZURE_CONFIG_DIR", t.TempDir())
	t.Setenv("AZURE_SUBSCRIPTION_ID", "")
	at := &place{azName: "AzureCloud"}
	s := Defaults()
	_, err := s.subscription(t.Context(), at)
	if agent.KindOf(err) != agent.KindCredentials {
		t.Errorf("without anything: %v", err)
	}
	for _, remedy := range []string{"az login", "az account set", "AZURE_SUBSCRIPTION_ID", "mngr config set providers.azure.subscription_id"} {
		if !strings.Contains(agent.HintOf(err), remedy) {
			t.Errorf("the remedy %q lacks %q", agent.HintOf(err), remedy)
		}
	}
	expect := func(want string) {
		t.Helper()
		if got, err := s.subscription(t.Context(), at); err != nil || got != want {
			t.Errorf("got %q, %v; want %q", got, err, want)
		}
	}
	writeProfile(t, goodProfile)
	expect("mine")
	t.Setenv("AZURE_SUBSCRIPTION_ID", "env")
	expect("env")
	s.SubscriptionID = "set"
	expect("set")
	// The local Azure has its own, whatever the environment says of the real one.
	if got, err := Defaults().subscription(t.Context(), &place{local: &localState{SubscriptionID: "local"}}); err != nil || got != "local" {
		t.Errorf("local: %s, %v", got, err)
	}
}

func TestProfile(t *testing.T) {
	for _, c := range []struct{ name, profile, cloud, id, why string }{
		{"byte order mark", goodProfile, "AzureCloud", "mine", ""},
		{"a cloud az need not know", goodProfile, "", "mine", ""},
		{"another cloud", goodProfile, "AzureUSGovernment", "", "az cloud set --name AzureUSGovernment"},
		{"a disabled default", `{"subscriptions":[{"id":"off","name":"Old","isDefault":true,"state":"Disabled"},{"id":"b","isDefault":true}]}`, "", "b", ""},
		{"only a disabled default", `{"subscriptions":[{"id":"off","name":"Old","isDefault":true,"state":"Disabled"},{"id":"b"}]}`, "", "", `"Old" is disabled`},
		{"no id", `{"subscriptions":[{"isDefault":true}]}`, "", "", "nobody is logged in"},
		{"logged out", `{"subscriptions":[]}`, "", "", "nobody is logged in"},
	} {
		p, ok := parseProfile([]byte(c.profile))
		id, why := p.active(c.cloud)
		if !ok || id != c.id || !strings.Contains(why, c.why) || (id == "") == (why == "") {
			t.Errorf("%s: %v, %q, %q", c.name, ok, id, why)
		}
	}
	for _, torn := range []string{"", bom, `{"subscriptions":[{"id":`, `[]`, `null`, `"x"`, "{\"subscriptions\":[{\"id\":\"\xff\",\"isDefault\":true}]}", `{"subscriptions":{}}`} {
		if _, ok := parseProfile([]byte(torn)); ok {
			t.Errorf("%q passes for a profile", torn)
		}
	}
}

// TestTornProfile: az truncates its profile and writes it anew; a reader that comes in
// between waits for it, and not for ever.
func TestTornProfile(t *testing.T) {
	t.Setenv("AZURE_CONFIG_DIR", t.TempDir())
	synctest.Test(t, func(t *testing.T) {
		writeProfile(t, goodProfile[:40])
		go func() {
			time.Sleep(profilePause + profilePause/2)
			writeProfile(t, goodProfile)
		}()
		p, err := readProfile(t.Context())
		if id, _ := p.active(""); err != nil || id != "mine" {
			t.Errorf("a write that ends in time: %q, %v", id, err)
		}
		writeProfile(t, goodProfile[:40])
		began := time.Now()
		p, err = readProfile(t.Context())
		if id, why := p.active(""); err != nil || id != "" || !strings.Contains(why, "no whole profile") {
			t.Errorf("a broken file: %q, %q, %v", id, why, err)
		}
		if took := time.Since(began); took != (profileTries-1)*profilePause {
			t.Errorf("it took %s", took)
		}
	})
}

func FuzzProfile(f *testing.F) {
	f.Add([]byte(goodProfile))
	f.Add([]byte(`{"subscriptions":[{"id":`))
	f.Add([]byte(`[]`))
	f.Add([]byte("{\"subscriptions\":[{\"id\":\"\xff\"}]}"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		p, ok := parseProfile(raw)
		if !ok && len(p.Subscriptions) > 0 {
			t.Error("a torn profile gave subscriptions")
		}
		if id, why := p.active("AzureCloud"); (id == "") == (why == "") {
			t.Errorf("neither a subscription nor a reason, or both: %q, %q", id, why)
		}
	})
}
