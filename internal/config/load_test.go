package config

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mngr/internal/agent"
)

// world is a home directory and a project, both empty until a test writes into them.
func world(t *testing.T) (opts Options, files Files) {
	t.Helper()
	home, project := t.TempDir(), t.TempDir()
	if err := os.MkdirAll(filepath.Join(project, ".git"), 0o755); err != nil {
		t.Fatal(err)
	}
	deep := filepath.Join(project, "a", "b")
	if err := os.MkdirAll(deep, 0o755); err != nil {
		t.Fatal(err)
	}
	opts = Options{Home: home, WorkDir: deep}
	files, err := Locate(opts)
	if err != nil {
		t.Fatal(err)
	}
	return opts, files
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestLayersOverrideSingleKeys(t *testing.T) {
	opts, files := world(t)
	write(t, files.User, "[providers.azure]\ndefault_region = \"user\"\nresource_group = \"user\"\nvnet_name = \"user\"\nsubnet_name = \"user\"\nnsg_name = \"user\"\n")
	write(t, files.Project, "[providers.azure]\n# a comment\nresource_group = \"project\"\nvnet_name = \"project\"\nsubnet_name = \"project\"\nnsg_name = \"project\"\n")
	write(t, files.Local, "providers.azure.vnet_name = \"local\"\nproviders.azure.subnet_name = \"local\"\nproviders.azure.nsg_name = \"local\"\n")
	opts.Environ = []string{"MNGR__PROVIDERS__AZURE__SUBNET_NAME=env", "MNGR__PROVIDERS__AZURE__NSG_NAME=env"}
	opts.Overrides = []Override{
		{Key: "providers.azure.nsg-name", Value: "setting"},
		{Key: "commands.create.type", Value: "shell", Flag: "--type"},
	}
	c, err := Load(opts)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []struct{ key, value, origin string }{
		{"providers.azure.default_region", "user", files.User + ":2"},
		{"providers.azure.resource_group", "project", files.Project + ":3"},
		{"providers.azure.vnet_name", "local", files.Local + ":1"},
		{"providers.azure.subnet_name", "env", "MNGR__PROVIDERS__AZURE__SUBNET_NAME"},
		{"providers.azure.nsg_name", "setting", "-S"},
		{"commands.create.type", "shell", "--type"},
		{"providers.azure.default_vm_size", "Standard_B2s", "default"},
	} {
		v, err := c.Explain(want.key)
		if err != nil || v.Text() != want.value || v.Origin.String() != want.origin {
			t.Errorf("Explain(%s) = %q from %s, %v; want %q from %s", want.key, v.Text(), v.Origin, err, want.value, want.origin)
		}
	}
	if p := c.Providers["azure"]; p.Implicit || p.NSGName != "setting" || p.DefaultRegion != "user" {
		t.Errorf("provider azure = %+v", p)
	}
	if !c.IsSet("providers.azure.nsg_name") || c.IsSet("providers.azure.allowed_ssh_cidrs") {
		t.Error("IsSet must tell given keys from defaults")
	}
}

func TestImplicitInstances(t *testing.T) {
	opts, files := world(t)
	c, err := Load(opts)
	if err != nil {
		t.Fatal(err)
	}
	if names := c.names(); !slices.Equal(names, []string{"azure", "azure-local"}) {
		t.Fatalf("instances = %v", names)
	}
	local, err := c.Provider("azure-local")
	if err != nil || local.Cloud != "local" || !local.Implicit || local.SubnetAddressPrefix != "10.0.0.0/24" {
		t.Errorf("azure-local = %+v, %v", local, err)
	}
	if azure, _ := c.Provider("azure"); azure.Cloud != "public" {
		t.Errorf("azure.Cloud = %q", azure.Cloud)
	}

	write(t, files.User, "[providers.azure]\nis_enabled = false\n[providers.azure-west]\nbackend = \"azure\"\n[providers.azure-local]\n")
	if c, err = Load(opts); err != nil {
		t.Fatal(err)
	}
	var enabled []string
	for _, p := range c.Instances() {
		enabled = append(enabled, p.Name)
	}
	if !slices.Equal(enabled, []string{"azure-local", "azure-west"}) {
		t.Errorf("enabled instances = %v", enabled)
	}
	if p := c.Providers["azure-local"]; p.Implicit || p.Cloud != "local" {
		t.Errorf("a table must claim azure-local and leave its cloud alone: %+v", p)
	}
	if _, err := c.Provider("azure-wset"); agent.KindOf(err) != agent.KindUsage || !strings.Contains(agent.HintOf(err), "azure-west") {
		t.Errorf("unknown instance: %v, hint %q", err, agent.HintOf(err))
	}
}

// The remedy of an instance that is switched off is one for the place that switches it off.
func TestSwitchedOffHintsAtTheLayerInForce(t *testing.T) {
	opts, files := world(t)
	off := "[providers.azure]\nis_enabled = false\n"
	env := "MNGR__PROVIDERS__AZURE__IS_ENABLED"
	check := func(layer, want string) {
		t.Helper()
		c, err := Load(opts)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Enabled("azure"); agent.KindOf(err) != agent.KindUsage || agent.HintOf(err) != want {
			t.Errorf("%s: %v; hint %q, want %q", layer, err, agent.HintOf(err), want)
		}
		if _, err := c.Enabled("azure-local"); err != nil {
			t.Errorf("%s: %v", layer, err)
		}
	}
	write(t, files.User, off)
	check("user", "mngr config set providers.azure.is_enabled true # switches it on; or --provider azure-local")
	write(t, files.Local, off)
	check("local", "mngr config set providers.azure.is_enabled true --scope local # switches it on; or --provider azure-local")
	opts.Environ = append(opts.Environ, env+"=false")
	check("environment", "unset "+env+" # switches it on; or --provider azure-local")
	opts.Overrides = []Override{{Key: "providers.azure.is_enabled", Value: "false"}}
	check("setting", "leave -S out, or --provider azure-local")
}

// Each case is one faulty file; want are parts of cause and hint.
func TestFaultyFilesAreRefusedWithPlaceAndRemedy(t *testing.T) {
	for _, c := range []struct{ name, content, cause, hint string }{
		{"syntax", "headless = \n", ":1: ", "toml.io"},
		{"duplicate", "headless = true\nheadless = true\n", ":2: ", "TOML"},
		{"unknown key", "\n[providers.azure]\ndefault_regoin = \"x\"\n", ":3: providers.azure.default_regoin: no such key", `"providers.azure.default_region"`},
		{"unknown table", "[provider.azure]\n", ":1: provider.azure: no such key", "config list"},
		{"unknown top", "foo = 1\n", ":1: foo: no such key", "config list"},
		{"quoted dots", "\"providers.azure.cloud\" = \"local\"\n", "no such key", ""},
		{"list of tables", "[[providers.azure]]\n", "lists of tables", "single brackets"},
		{"credentials", "[providers.azure]\nclient_secret = \"x\"\n", ":2: providers.azure.client_secret: credentials", "az login"},
		{"prefix", "prefix = \"x-\"\n", "cannot be changed", "remove"},
		{"extend", "[providers.azure]\nallowed_ssh_cidrs__extend = []\n", "replaces", "whole list"},
		{"type string", "[providers.azure]\ncloud = 1\n", "no string", "quotation"},
		{"type bool", "headless = \"yes\"\n", "neither true nor false", "without quotation"},
		{"type number", "[providers.azure]\nos_disk_size_gb = \"30\"\n", "no whole number", "without quotation"},
		{"type list", "[providers.azure]\nallowed_ssh_cidrs = \"10.0.0.0/8\"\n", "no list of strings", "[\"...\""},
		{"mixed list", "[providers.azure]\nallowed_ssh_cidrs = [1]\n", "no list of strings", ""},
		{"instance name", "[providers.\"a b\"]\n", "no name of a provider instance", "azure-west"},
		{"instance name in key", "providers.\"-\".cloud = \"local\"\n", "no name of a provider instance", ""},
		{"cloud", "[providers.azure]\ncloud = \"moon\"\n", `"moon" is not known`, "public, usgov, china, local"},
		{"backend", "[providers.x]\nbackend = \"aws\"\n", `no backend "aws"`, "azure"},
		{"subscription", "[providers.azure]\nsubscription_id = \"prod\"\n", "no subscription id", "az account list"},
		{"region", "[providers.azure]\ndefault_region = \"West US\"\n", "no region name", `"westus"`},
		{"group", "[providers.azure]\nresource_group = \"a.\"\n", "no name of a resource group", "dot at the end"},
		{"vnet too short", "[providers.azure]\nvnet_name = \"a\"\n", "1 characters", "2 to 64"},
		{"nsg", "[providers.azure]\nnsg_name = \"a-\"\n", "no name of a network resource", "hyphen last"},
		{"cidr host bits", "[providers.azure]\nallowed_ssh_cidrs = [\"203.0.113.4/24\"]\n", "bits set", `"203.0.113.0/24"`},
		{"cidr address", "[providers.azure]\nallowed_ssh_cidrs = [\"203.0.113.4\"]\n", "prefix length", `"203.0.113.4/32"`},
		{"cidr v6", "[providers.azure]\nallowed_ssh_cidrs = [\"::/0\"]\n", "IPv6", "IPv4"},
		{"cidr nonsense", "[providers.azure]\nallowed_ssh_cidrs = [\"home\"]\n", "no CIDR range", "203.0.113.4/32"},
		{"vnet too small", "[providers.azure]\nvnet_address_prefix = \"10.0.0.0/30\"\n", "limits", "/29"},
		{"vnet on link-local", "[providers.azure]\nvnet_address_prefix = \"169.254.0.0/24\"\n", "metadata", "10.0.0.0/16"},
		{"vnet on docker's bridge", "[providers.azure]\nvnet_address_prefix = \"172.16.0.0/12\"\n", "Docker", "private range"},
		{"subnet outside", "[providers.azure]\nvnet_address_prefix = \"10.1.0.0/16\"\nsubnet_address_prefix = \"10.0.0.0/24\"\n", ":3: providers.azure.subnet_address_prefix", ":2"},
		{"subnet larger", "[providers.azure]\nsubnet_address_prefix = \"10.0.0.0/8\"\n", "not within", ""},
		{"no public ip", "[providers.azure]\nassociate_public_ip = false\n", "cannot be reached", "allowed_ssh_cidrs"},
		{"size", "[providers.azure]\ndefault_vm_size = \"B2s\"\n", "no VM size", "az vm list-skus"},
		{"spot", "[providers.azure]\ndefault_spot_vm_size = \"Standard_B2s\"\n", "cannot be a Spot", "Standard_D2s_v5"},
		{"image version", "[providers.azure]\nimage_version = \"1\"\n", "no image version", "latest"},
		{"admin", "[providers.azure]\nadmin_username = \"root\"\n", "Azure refuses", "azureuser"},
		{"admin capital", "[providers.azure]\nadmin_username = \"Root\"\n", "no Linux user name", "lower-case"},
		{"disk", "[providers.azure]\nos_disk_size_gb = 0\n", "out of range", "1 to 4095"},
		{"disk below image", "[providers.azure]\nos_disk_size_gb = 20\n", "less than the 30 GiB", "30"},
		{"disk type", "[providers.azure]\nos_disk_type = \"UltraSSD_LRS\"\n", "not known", "StandardSSD_LRS"},
		{"port 22", "[providers.azure]\ncontainer_ssh_port = 22\n", "own SSH server", "2222"},
		{"port", "[providers.azure]\ncontainer_ssh_port = 70000\n", "out of range", "65535"},
		{"container image", "[providers.azure]\ndefault_image = \"--privileged\"\n", "no container image", "debian"},
		{"start argument", "[providers.azure]\ndefault_start_args = [\"\"]\n", "docker run", "one argument"},
		{"package", "[providers.azure]\ndocker_packages = [\"-y\"]\n", "Debian package", "docker.io"},
		{"idle", "[providers.azure]\ndefault_idle_timeout = -1\n", "out of range", "0 to"},
		{"idle mode", "[providers.azure]\ndefault_idle_mode = \"never\"\n", "not known", "disabled"},
		{"lifetime", "[providers.azure]\nauto_shutdown_seconds = 10\n", "out of range", "300"},
		{"spot price", "[providers.azure]\nspot_max_price = 0\n", "no price", "-1"},
		{"me in settings", "[providers.azure]\nallowed_ssh_cidrs = [\"me\"]\n", "for the flag only", "--allowed-ssh-cidr me"},
		{"twice", "[providers.azure]\nfallback_regions = [\"eastus\", \"eastus\"]\n", "twice", "remove"},
		{"fallback to itself", "[providers.azure]\ndefault_region = \"eastus\"\nfallback_regions = [\"eastus\"]\n", ":3: providers.azure.fallback_regions: eastus is the default region", "remove"},
		{"shorter than idle", "[providers.azure]\nauto_shutdown_seconds = 600\ndefault_idle_timeout = 900\n", ":2: providers.azure.auto_shutdown_seconds", "longer"},
		{"a subscription of the local Azure", "[providers.azure-local]\nsubscription_id = \"00000000-0000-0000-0000-00000000000a\"\n", "one subscription, its own", "remove"},
		{"half a cloud", "[providers.azure.cloud]\nresource_manager = \"https://a.example\"\n", ":2: providers.azure.cloud: a cloud of one's own needs authority", "cloud.authority URL"},
		{"a cloud without TLS", "[providers.azure.cloud]\nresource_manager = \"http://a.example\"\nauthority = \"https://b.example\"\n", "no https", "https://"},
		{"a relative authority file", "[providers.azure.cloud]\nca_file = \"ca.pem\"\n", "no absolute path", "root"},
		{"an unknown cloud", "[providers.azure]\ncloud = \"mars\"\n", "not known", "cloud.resource_manager"},
		{"an unknown key of a cloud", "[providers.azure.cloud]\ngraph = \"https://a.example\"\n", ":2: providers.azure.cloud.graph: no such key", "mngr config list"},
		{"one network, two prefixes", "[providers.a]\nvnet_address_prefix = \"10.1.0.0/16\"\n[providers.b]\nvnet_address_prefix = \"10.2.0.0/16\"\n", ":4: providers.b.vnet_address_prefix", "another resource_group"},
		{"one network, two regions", "[providers.a]\n[providers.b]\ndefault_region = \"eastus\"\n", ":3: providers.b.default_region", "another resource_group"},
		{"of the original", "[providers.azure]\nbtrfs_mount_path = \"/x\"\n", "Docker volume", "os_disk_size_gb"},
		{"of the original's core", "[providers.azure]\nplugin = \"azure\"\n", "no plugins", "remove"},
		{"waits of the original", "[providers.azure]\nssh_connect_timeout = 60.0\n", "fixed limits", "remove"},
		{"tables of the original", "[agent_types.claude]\ncommand = \"claude\"\n", "built in", "create --help"},
		{"storage of the original", "[providers.azure]\nstate_storage_account_name = \"x\"\n", "no storage account", "remove"},
		{"a list to be extended", "[providers.azure]\ndefault_start_args__extend = [\"-q\"]\n", "replaces the list", "plain key"},
		{"default provider", "default_provider = \"azur\"\n", ":1: default_provider: there is no provider instance", "azure, azure-local"},
		{"agent type", "[commands.create]\ntype = \"a b\"\n", "no agent type", "shell"},
	} {
		t.Run(c.name, func(t *testing.T) {
			opts, files := world(t)
			write(t, files.User, c.content)
			_, err := Load(opts)
			if agent.KindOf(err) != agent.KindUsage {
				t.Fatalf("Load = %v, want a usage error", err)
			}
			if !strings.HasPrefix(err.Error(), files.User+":") || !strings.Contains(err.Error(), c.cause) {
				t.Errorf("cause = %q, want it to begin with the file and to contain %q", err, c.cause)
			}
			if hint := agent.HintOf(err); hint == "" || !strings.Contains(hint, c.hint) {
				t.Errorf("hint = %q, want it to contain %q", hint, c.hint)
			}
			if strings.ContainsAny(err.Error()+agent.HintOf(err), "\n\r") {
				t.Errorf("more than one line: %q / %q", err, agent.HintOf(err))
			}
		})
	}
}

// The positive control of the test above: the widest file that must pass.
func TestFullFileIsAccepted(t *testing.T) {
	opts, files := world(t)
	full, err := os.ReadFile(filepath.Join("testdata", "full.toml"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, files.User, string(full))
	c, err := Load(opts)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range c.Providers["azure-west"].fields() {
		if !c.IsSet("providers.azure-west."+f.key) && !c.IsSet("providers.azure-private."+f.key) {
			t.Errorf("no instance of testdata/full.toml sets %s", f.key)
		}
	}
	if got := c.Providers["azure-west"].AllowedSSHCIDRs; !slices.Equal(got, []string{"203.0.113.4/32", "198.51.100.0/24"}) {
		t.Errorf("allowed_ssh_cidrs = %v", got)
	}
}

func TestEnvironmentAndSettings(t *testing.T) {
	opts, files := world(t)
	write(t, files.User, "[providers.Azure-West]\n")
	opts.Environ = []string{
		"MNGR__PROVIDERS__AZURE_WEST__ALLOWED_SSH_CIDRS=[\"10.1.0.0/16\",\"10.2.0.0/16\"]",
		"MNGR__PROVIDERS__AZURE_LOCAL__ALLOWED_SSH_CIDRS=",
		"MNGR__HEADLESS=yes",
		"MNGRX=1",
	}
	opts.Overrides = []Override{{Key: "providers.azure.allowed_ssh_cidrs", Value: "10.3.0.0/16"}}
	c, err := Load(opts)
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Providers["Azure-West"].AllowedSSHCIDRs; !slices.Equal(got, []string{"10.1.0.0/16", "10.2.0.0/16"}) {
		t.Errorf("list from the environment = %v", got)
	}
	if got := c.Providers["azure-local"].AllowedSSHCIDRs; len(got) != 0 {
		t.Errorf("empty list from the environment = %v", got)
	}
	if got := c.Providers["azure"].AllowedSSHCIDRs; !slices.Equal(got, []string{"10.3.0.0/16"}) {
		t.Errorf("list of one from -S = %v", got)
	}
	if !c.Headless {
		t.Error("MNGR__HEADLESS=yes was not read")
	}

	for _, bad := range []string{
		"MNGR__HEADLESS=maybe", "MNGR__FOO=1", "MNGR__PROVIDERS__AZUR__CLOUD=local", "MNGR__PROVIDERS=x", "MNGR__=x",
		"MNGR__PROVIDERS__AZURE__OS_DISK_SIZE_GB=big", "MNGR__PROVIDERS__AZURE__ALLOWED_SSH_CIDRS=[1]",
		"MNGR__PROVIDERS__AZURE__ALLOWED_SSH_CIDRS=[",
	} {
		opts.Environ = []string{bad}
		name, _, _ := strings.Cut(bad, "=")
		if _, err := Load(opts); agent.KindOf(err) != agent.KindUsage || !strings.HasPrefix(err.Error(), name+": ") || agent.HintOf(err) == "" {
			t.Errorf("%s: Load = %v, hint %q", bad, err, agent.HintOf(err))
		}
	}
}

func TestParseSetting(t *testing.T) {
	if o, err := ParseSetting("a.b=c=d"); err != nil || o.Key != "a.b" || o.Value != "c=d" {
		t.Errorf("ParseSetting = %+v, %v", o, err)
	}
	for _, bad := range []string{"", "a.b", "=x"} {
		if _, err := ParseSetting(bad); agent.KindOf(err) != agent.KindUsage {
			t.Errorf("ParseSetting(%q) = %v, want a usage error", bad, err)
		}
	}
}

func TestLocate(t *testing.T) {
	opts, files := world(t)
	if files.BaseDir != filepath.Join(opts.Home, ".mngr") || files.User != filepath.Join(files.BaseDir, "settings.toml") {
		t.Errorf("files = %+v", files)
	}
	other := t.TempDir()
	moved, err := Locate(Options{Home: opts.Home, WorkDir: other, Environ: []string{EnvBaseDir + "=" + other}})
	if err != nil || moved.BaseDir != other || moved.Project != "" {
		t.Errorf("with %s: %+v, %v", EnvBaseDir, moved, err)
	}
	if _, err := moved.Path(ScopeProject); agent.KindOf(err) != agent.KindUsage {
		t.Errorf("a project scope outside a repository: %v", err)
	}
	if _, err := Locate(Options{Environ: []string{EnvBaseDir + "=relative"}}); agent.KindOf(err) != agent.KindUsage {
		t.Errorf("a relative base directory: %v", err)
	}
	if _, err := Locate(Options{}); agent.KindOf(err) != agent.KindUsage {
		t.Errorf("no home: %v", err)
	}
	for scope, want := range map[Scope]string{ScopeUser: files.User, ScopeProject: files.Project, ScopeLocal: files.Local} {
		if got, err := files.Path(scope); err != nil || got != want || got == "" {
			t.Errorf("Path(%s) = %q, %v", scope, got, err)
		}
	}
	if _, err := files.Path("global"); agent.KindOf(err) != agent.KindUsage {
		t.Errorf("an unknown scope: %v", err)
	}
}

func TestUnreadableFileIsAnError(t *testing.T) {
	opts, files := world(t)
	if err := os.MkdirAll(files.User, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(opts); err == nil || !errors.As(err, new(*os.PathError)) {
		t.Errorf("Load with a directory for a file = %v", err)
	}
}

// missionExample is the example of two regions in the contract, word for word.
const missionExample = `[providers.azure-west]
backend = "azure"
subscription_id = "00000000-0000-0000-0000-000000000000"
default_region = "westus"
resource_group = "mngr-westus"
allowed_ssh_cidrs = ["203.0.113.4/32"]

[providers.azure-east]
backend = "azure"
subscription_id = "00000000-0000-0000-0000-000000000000"
default_region = "eastus"
resource_group = "mngr-eastus"
allowed_ssh_cidrs = ["203.0.113.4/32"]
`

// missionBlock is its example of one instance.
const missionBlock = `[providers.azure]
backend = "azure"

subscription_id = "00000000-0000-0000-0000-000000000000"  # optional; defaults to your az active subscription
default_region = "westus"
default_vm_size = "Standard_B2s"            # 2 vCPU / 4GB; B-series is quota-friendly on new subs

# One-off infrastructure names (created by mngr azure prepare)
resource_group = "mngr"
vnet_name = "mngr-vnet"
subnet_name = "mngr-subnet"
nsg_name = "mngr-nsg"
allowed_ssh_cidrs = ["203.0.113.4/32"]

# Optional OS disk sizing
os_disk_size_gb = 30
os_disk_type = "StandardSSD_LRS"
`

// Instances that work together: the positive control of the refusals above.
func TestNeighboursThatWork(t *testing.T) {
	for name, content := range map[string]string{
		"the contract's two regions": missionExample,
		"the contract's block":       missionBlock,
		"both":                       missionBlock + missionExample,
		"one group, two networks":    "[providers.a]\n[providers.b]\nvnet_name = \"other\"\ndefault_region = \"eastus\"\n",
		"one network, two sizes":     "[providers.a]\n[providers.b]\ndefault_vm_size = \"Standard_D2s_v5\"\n",
		"one is switched off":        "[providers.a]\n[providers.b]\nis_enabled = false\ndefault_region = \"eastus\"\n",
		"beside an implicit one":     "[providers.b]\ndefault_region = \"eastus\"\n",
		"two clouds":                 "[providers.a]\n[providers.b]\ncloud = \"usgov\"\ndefault_region = \"usgovvirginia\"\n",
		"a short life":               "[providers.a]\nauto_shutdown_seconds = 600\n",
		"a life without idling":      "[providers.a]\nauto_shutdown_seconds = 600\ndefault_idle_timeout = 0\n",
	} {
		opts, files := world(t)
		write(t, files.User, content)
		if _, err := Load(opts); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The stronger layer decides whether a cloud is a name or a table.
func TestCloudIsNameOrTable(t *testing.T) {
	table := "[providers.azure.cloud]\nresource_manager = \"https://rm.example\"\nauthority = \"https://entra.example\"\n"
	name := "[providers.azure]\ncloud = \"usgov\"\n"
	load := func(user, project string) (*Config, Provider) {
		opts, files := world(t)
		write(t, files.User, user)
		write(t, files.Project, project)
		opts.Environ = []string{"MNGR__PROVIDERS__AZURE__CLOUD__CA_FILE=/ca.pem"}
		if project == name {
			opts.Environ = nil
		}
		c, err := Load(opts)
		if err != nil {
			t.Fatal(err)
		}
		return c, *c.Providers["azure"]
	}
	if c, p := load(name, table); p.Cloud != CloudCustom || p.Endpoints != (Endpoints{ResourceManager: "https://rm.example", Authority: "https://entra.example", CAFile: "/ca.pem"}) ||
		c.Origin("providers.azure.cloud").Layer != LayerEnv && c.Origin("providers.azure.cloud").Layer != LayerProject {
		t.Errorf("a table over a name: %+v, %v", p, c.Layers("providers.azure.cloud"))
	}
	if c, p := load(table, name); p.Cloud != "usgov" || p.Endpoints != (Endpoints{}) || c.IsSet("providers.azure.cloud.authority") {
		t.Errorf("a name over a table: %+v", p)
	}
}

func TestLayers(t *testing.T) {
	opts, files := world(t)
	write(t, files.User, "[providers.azure]\ndefault_region = \"eastus\"\n")
	write(t, files.Local, "[providers.azure]\ndefault_region = \"northeurope\"\n")
	opts.Overrides = []Override{
		{Key: "providers.azure.default_region", Value: "westus3"},
		{Key: "providers.azure.default_region", Value: "westus2", Flag: "--region"},
	}
	c, err := Load(opts)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, v := range c.Layers("providers.azure.default-region") {
		got = append(got, v.Text()+" "+v.Origin.String())
	}
	want := []string{"westus2 --region", "westus3 -S", "northeurope " + files.Local + ":2", "eastus " + files.User + ":2", "westus default"}
	if !slices.Equal(got, want) {
		t.Errorf("layers = %q, want %q", got, want)
	}
	if got := c.Layers("providers.azure.nsg_name"); len(got) != 1 || got[0].Text() != "mngr-nsg" {
		t.Errorf("layers of a default = %v", got)
	}
	if c.Layers("providers.azure.colour") != nil {
		t.Error("layers of no key")
	}
}
