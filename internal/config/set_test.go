package config

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"mngr/internal/agent"
)

func TestSetAndUnsetKeepEverythingElse(t *testing.T) {
	for _, c := range []struct{ name, before, key, value, after string }{
		{"new file", "", "providers.azure.default_region", "eastus", "[providers.azure]\ndefault_region = \"eastus\"\n"},
		{"top level of a new file", "", "headless", "true", "headless = true\n"},
		{
			"replace keeps the comment",
			"# head\n[providers.azure]\n  default_region   = \"westus\"   # trailing\nnsg_name='x'\n", "providers.azure.default-region", "eastus",
			"# head\n[providers.azure]\n  default_region   = \"eastus\"   # trailing\nnsg_name='x'\n",
		},
		{
			"add beside a sibling, indented alike",
			"[providers.azure]\n  nsg_name = \"x\" # why\n# foot\n\n[commands.create]\n", "providers.azure.cloud", "local",
			"[providers.azure]\n  nsg_name = \"x\" # why\n  cloud = \"local\"\n# foot\n\n[commands.create]\n",
		},
		{"add to an empty table", "[providers.azure] # mine\n[commands]\n", "providers.azure.cloud", "local", "[providers.azure] # mine\ncloud = \"local\"\n[commands]\n"},
		{"add a table", "headless = true", "commands.create.type", "shell", "headless = true\n\n[commands.create]\ntype = \"shell\"\n"},
		{"add a top-level key", "[commands.create]\n", "headless", "no", "headless = false\n\n[commands.create]\n"},
		{"add beside a top-level key", "headless = true\n[commands.create]\n", "default_provider", "azure", "headless = true\ndefault_provider = \"azure\"\n[commands.create]\n"},
		{"dotted keys", "providers.azure.cloud = \"local\"\n", "providers.azure.nsg_name", "n", "providers.azure.cloud = \"local\"\nproviders.azure.nsg_name = \"n\"\n"},
		{"dotted keys in a table", "[providers]\nazure.cloud = \"local\"\n", "providers.azure.nsg_name", "n", "[providers]\nazure.cloud = \"local\"\nazure.nsg_name = \"n\"\n"},
		{"value in an inline table", "providers = { azure = { cloud = \"local\", default_start_args = ['a=b'] } } # x\n", "providers.azure.cloud", "public", "providers = { azure = { cloud = \"public\", default_start_args = ['a=b'] } } # x\n"},
		{"windows line ends", "[providers.azure]\r\ncloud = \"local\"\r\n", "providers.azure.nsg_name", "n", "[providers.azure]\r\ncloud = \"local\"\r\nnsg_name = \"n\"\r\n"},
		{
			"a list over several lines",
			"[providers.azure]\nallowed_ssh_cidrs = [ # a\n \"10.0.0.0/8\", # b\n] # c\n", "providers.azure.allowed_ssh_cidrs", `["10.1.0.0/16", "10.2.0.0/16"]`,
			"[providers.azure]\nallowed_ssh_cidrs = [\"10.1.0.0/16\", \"10.2.0.0/16\"] # c\n",
		},
		{"quoted keys", "[\"providers\".'azure']\n\"cloud\" = \"local\"\n", "providers.azure.cloud", "public", "[\"providers\".'azure']\n\"cloud\" = \"public\"\n"},
		{"a price", "[providers.azure]\nspot_max_price = -1 # any\n", "providers.azure.spot_max_price", "0.05", "[providers.azure]\nspot_max_price = 0.05 # any\n"},
		{"a whole price", "", "providers.azure.spot_max_price", "2", "[providers.azure]\nspot_max_price = 2.0\n"},
		{"no price", "", "providers.azure.spot_max_price", "-1", "[providers.azure]\nspot_max_price = -1.0\n"},
		{
			"a key of the cloud's table", "[providers.azure]\nnsg_name = \"n\" # why\n", "providers.azure.cloud.ca_file", "/ca.pem",
			"[providers.azure]\nnsg_name = \"n\" # why\n\n[providers.azure.cloud]\nca_file = \"/ca.pem\"\n",
		},
		{
			"another one", "[providers.azure.cloud]\nca_file = \"/ca.pem\"\n# foot\n", "providers.azure.cloud.authority", "https://a.example",
			"[providers.azure.cloud]\nca_file = \"/ca.pem\"\nauthority = \"https://a.example\"\n# foot\n",
		},
		{"escapes", "", "providers.azure.default_start_args", `["a\"b\\c\u007f<"]`, "[providers.azure]\ndefault_start_args = [\"a\\\"b\\\\c\\u007f<\"]\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "new", "settings.toml")
			if c.before != "" {
				write(t, path, c.before)
			}
			if err := Set(path, c.key, c.value); err != nil {
				t.Fatal(err)
			}
			got, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != c.after {
				t.Errorf("after Set:\n%q\nwant\n%q", got, c.after)
			}
			if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("mode = %v, %v; want 0600", info.Mode(), err)
			}
		})
	}
}

func TestUnset(t *testing.T) {
	path := filepath.Join(t.TempDir(), "settings.toml")
	write(t, path, "# head\n[providers.azure]\n  cloud = \"local\" # gone too\nnsg_name = \"n\"\nallowed_ssh_cidrs = [\n]")
	for _, key := range []string{"providers.azure.cloud", "providers.azure.allowed-ssh-cidrs"} {
		if err := Unset(path, key); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if want := "# head\n[providers.azure]\nnsg_name = \"n\"\n"; err != nil || string(got) != want {
		t.Errorf("after Unset: %q, %v; want %q", got, err, want)
	}
	if err := Unset(path, "providers.azure.cloud"); agent.KindOf(err) != agent.KindNotFound {
		t.Errorf("Unset of an absent key = %v", err)
	}
}

func TestUnsetTable(t *testing.T) {
	for _, c := range []struct{ name, before, key, after string }{
		{"the cloud's", "[providers.a]\nnsg_name = \"n\"\n[providers.a.cloud] # here\n# why\nauthority = \"x\"\nca_file = \"y\"\n[commands.create]\n", "providers.a.cloud",
			"[providers.a]\nnsg_name = \"n\"\n# why\n[commands.create]\n"},
		{"an instance's", "# head\n[providers.a]\nnsg_name = \"n\"\n[commands.create]\ntype = \"shell\"\n[providers.a.cloud]\nca_file = \"/y\"\n[providers.b]\n", "providers.a",
			"# head\n[commands.create]\ntype = \"shell\"\n[providers.b]\n"},
		{"an inline one", "[providers.a]\ncloud = { ca_file = \"/y\" } # here\nnsg_name = \"n\"\n", "providers.a.cloud", "[providers.a]\nnsg_name = \"n\"\n"},
		{"a hyphen in its name", "[providers.a-b]\nnsg_name = \"n\"\n", "providers.a-b", ""},
		{"dotted keys", "providers.a.cloud.ca_file = \"/y\"\nproviders.a.nsg_name = \"n\"\nheadless = true\n", "providers.a", "headless = true\n"},
	} {
		path := filepath.Join(t.TempDir(), "settings.toml")
		write(t, path, c.before)
		err := Unset(path, c.key)
		if got, _ := os.ReadFile(path); err != nil || string(got) != c.after {
			t.Errorf("%s: %v\n%q, want\n%q", c.name, err, got, c.after)
		}
	}
}

// A file with several faults is mended one key at a time.
func TestUnsetMends(t *testing.T) {
	path := filepath.Join(t.TempDir(), "settings.toml")
	write(t, path, "colour = 1\n[providers.azure]\nclient_secret = \"x\"\nnsg_name = \"n\"\n[create_templates.x]\n")
	for _, key := range []string{"colour", "providers.azure.client_secret", "create_templates"} {
		if err := Unset(path, key); err != nil {
			t.Errorf("%s: %v", key, err)
		}
	}
	if got, _ := os.ReadFile(path); string(got) != "[providers.azure]\nnsg_name = \"n\"\n" {
		t.Errorf("the file became %q", got)
	}
}

func TestRefusedEditsLeaveTheFileAlone(t *testing.T) {
	for _, c := range []struct{ name, before, key, value string }{
		{"unknown key", "headless = true\n", "providers.azure.colour", "red"},
		{"credentials", "headless = true\n", "providers.azure.client_secret", "x"},
		{"bad value", "headless = true\n", "providers.azure.cloud", "moon"},
		{"bad type", "headless = true\n", "headless", "perhaps"},
		{"bad instance", "headless = true\n", "providers.a b.cloud", "local"},
		{"table", "headless = true\n", "providers.azure", "x"},
		{"broken file", "headless = \n", "headless", "true"},
		{"file wrong elsewhere", "colour = 1\n", "headless", "true"},
		{"a table where a name stands", "[providers.azure]\ncloud = \"local\"\n", "providers.azure.cloud.ca_file", "/x"},
		{"a name where a table stands", "[providers.azure.cloud]\nca_file = \"/x\"\n", "providers.azure.cloud", "local"},
		{"inline table", "providers = { azure = {} }\n", "providers.azure.cloud", "local"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "settings.toml")
			write(t, path, c.before)
			if err := Set(path, c.key, c.value); agent.KindOf(err) != agent.KindUsage || agent.HintOf(err) == "" {
				t.Errorf("Set = %v, hint %q; want a usage error with a remedy", err, agent.HintOf(err))
			}
			if got, err := os.ReadFile(path); err != nil || string(got) != c.before {
				t.Errorf("the file became %q, %v", got, err)
			}
		})
	}
	path := filepath.Join(t.TempDir(), "settings.toml")
	write(t, path, "providers = { azure = { cloud = \"local\" } }\n")
	if err := Unset(path, "providers.azure.cloud"); agent.KindOf(err) != agent.KindUsage {
		t.Errorf("Unset in an inline table = %v", err)
	}
}

func TestSetFollowsSymlinks(t *testing.T) {
	dir := t.TempDir()
	target, link := filepath.Join(dir, "dotfiles", "settings.toml"), filepath.Join(dir, "settings.toml")
	write(t, target, "headless = true\n")
	if err := os.Symlink(target, link); err != nil {
		t.Fatal(err)
	}
	if err := Set(link, "headless", "false"); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(target); err != nil || string(got) != "headless = false\n" {
		t.Errorf("target = %q, %v", got, err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link became %v, %v", info.Mode(), err)
	}
}

func TestConcurrentSetsLoseNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "settings.toml")
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			if err := Set(path, fmt.Sprintf("providers.p%d.default_region", i), "eastus"); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	c, err := Load(Options{Home: "/nonexistent", Environ: []string{EnvBaseDir + "=" + filepath.Dir(path)}})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 8 {
		if v, err := c.Explain(fmt.Sprintf("providers.p%d.default_region", i)); err != nil || v.Text() != "eastus" {
			t.Errorf("instance %d: %q, %v", i, v.Text(), err)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".settings.toml.*")); len(left) > 0 {
		t.Errorf("temporary files left: %v", left)
	}
}
