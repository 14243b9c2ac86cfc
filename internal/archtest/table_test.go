package archtest

// rule says what a package may import. Paths are relative to the module; "x/..." means x
// and everything below it.
type rule struct {
	pkg     string   // the package, or a subtree
	imports []string // packages of ours
	tests   []string // more of ours that its tests may import
}

// rules is the house, inside first. The longest matching pkg decides. A new package
// needs a line here, and a reason to exist that fits its package doc.
var rules = []rule{
	// Words: no I/O, nothing of ours but words.
	{pkg: "internal/agent/...", imports: []string{"internal/agent/..."}},
	{pkg: "internal/ctl", imports: nil},
	{pkg: "internal/plain", imports: nil},
	{pkg: "internal/shell", imports: nil},
	{pkg: "internal/atomicfile", imports: nil},

	// Tools: they know nothing of each other.
	{pkg: "internal/config", imports: []string{"internal/agent", "internal/atomicfile"}},
	{pkg: "internal/records", imports: []string{"internal/agent"}},
	{pkg: "internal/prices", imports: []string{"internal/agent"}},
	{pkg: "internal/dockerflags", imports: nil},
	{pkg: "internal/hostsetup", imports: []string{"internal/agent", "internal/ctl", "internal/dockerflags"}},
	{pkg: "internal/dockerbuild", imports: []string{"internal/agent", "internal/dockerflags"}},
	{pkg: "internal/ssh", imports: []string{"internal/agent", "internal/atomicfile", "internal/shell"}},
	{pkg: "internal/git", imports: []string{"internal/agent"}},
	{pkg: "internal/filter", imports: []string{"internal/agent"}},
	{pkg: "internal/output", imports: []string{"internal/agent", "internal/plain"}},
	{pkg: "internal/guestbin", imports: []string{"internal/agent"}},
	{pkg: "internal/journal", imports: []string{"internal/plain"}},

	// Adapters: one outside system each.
	{pkg: "internal/azure/permission", imports: nil},
	{pkg: "internal/azure", imports: []string{"internal/agent", "internal/atomicfile", "internal/journal", "internal/plain", "internal/prices"}, tests: []string{"internal/azlocal/...", "internal/azure/permission", "internal/fleet"}},
	{
		pkg:     "internal/guest/...",
		imports: []string{"internal/agent/...", "internal/atomicfile", "internal/ctl", "internal/plain", "internal/hostsetup", "internal/guest/..."},
	},

	{pkg: "internal/keep", imports: []string{"internal/agent", "internal/atomicfile", "internal/fleet"}},

	// Use cases: they know neither Azure nor SSH nor the terminal. The codec of the tags and
	// the user's own repository are no outside systems that anything could stand in for.
	{
		pkg: "internal/fleet/...",
		imports: []string{
			"internal/agent/...", "internal/ctl", "internal/plain", "internal/shell", "internal/hostsetup", "internal/records", "internal/git", "internal/dockerbuild",
			"internal/fleet/...",
		},
	},

	// Outside: where concrete types meet.
	{
		pkg: "internal/cli/...",
		imports: []string{
			"internal/agent/...", "internal/atomicfile", "internal/ctl", "internal/plain", "internal/shell", "internal/config", "internal/records", "internal/hostsetup", "internal/ssh",
			"internal/git", "internal/journal", "internal/keep", "internal/filter", "internal/dockerbuild", "internal/output", "internal/guestbin", "internal/azure", "internal/azure/permission",
			"internal/fleet/...", "internal/cli/...",
		},
		tests: []string{"internal/azlocal/..."},
	},
	{pkg: "cmd/mngr", imports: []string{"internal/cli", "internal/azlocal"}},
	{pkg: "cmd/mngrd", imports: []string{"internal/guest"}},

	// A witness: it speaks plain HTTPS, so that neither client nor emulator colours an answer.
	{pkg: "internal/azurecheck", imports: nil},
	{pkg: "cmd/azure-check", imports: []string{"internal/azurecheck"}},

	// Another world: Azure on this machine shares no code with its client.
	{pkg: "internal/azlocal/...", imports: []string{"internal/azlocal/..."}},

	// Tests only.
	{pkg: "internal/archtest", imports: nil},
	{pkg: "e2e/escape", imports: nil}, // it runs inside containers
	{pkg: "cmd/escape", imports: []string{"e2e/escape"}},
	{pkg: "e2e", imports: nil, tests: []string{"e2e/rig", "internal/cli", "internal/azlocal", "internal/agent", "internal/ctl"}},
	{pkg: "e2e/rig", imports: nil},
	{pkg: "e2e/chaos", imports: []string{"e2e/rig"}},
	{pkg: "e2e/model", imports: []string{"e2e/rig"}},
}

// module names an outside module that only some packages may use.
type module struct {
	path  string
	users []string // packages of ours
	tests []string // more packages whose tests may use it
}

// modules lists every outside module, so that a new one is a decision. Tests of any
// package may use the ones in testModules.
var modules = []module{
	// internal/azurecheck takes the login alone: whose rights are asked about must be mngr's.
	{path: "github.com/Azure/", users: []string{"internal/azure", "internal/azurecheck"}, tests: []string{"internal/azlocal/..."}},
	{path: "github.com/spf13/cobra", users: []string{"internal/cli/...", "internal/azlocal/..."}, tests: []string{"internal/azure"}},
	{path: "github.com/spf13/pflag", users: []string{"internal/cli/..."}},
	{path: "github.com/pelletier/go-toml/v2", users: []string{"internal/config"}},
	{path: "github.com/distribution/reference", users: []string{"internal/config"}},
	{path: "charm.land/lipgloss/v2", users: []string{"internal/output"}},
	{path: "cel.dev/cel-go", users: []string{"internal/filter"}},
	{path: "golang.org/x/crypto/", users: []string{"internal/ssh", "internal/guest/...", "internal/azlocal/...", "e2e/chaos"}, tests: []string{"internal/hostsetup", "e2e"}},
	{path: "github.com/pkg/sftp", users: []string{"internal/ssh", "internal/guest/..."}, tests: []string{"e2e"}},
	{path: "github.com/creack/pty", users: []string{"internal/guest/..."}, tests: []string{"e2e", "internal/cli/..."}},
	{path: "github.com/goccy/go-yaml", users: []string{"internal/hostsetup", "internal/azlocal/..."}},
	{path: "golang.org/x/term", users: []string{"internal/output", "internal/cli/...", "internal/ssh", "internal/azlocal"}},
	{path: "golang.org/x/sys/", users: []string{"internal/config", "internal/ssh", "internal/journal", "internal/keep", "internal/guest/...", "internal/azlocal/...", "e2e/escape"}},
	{path: "golang.org/x/sync/", users: []string{"internal/azure", "internal/fleet/...", "internal/cli/...", "internal/guest/...", "internal/azlocal/..."}},
	{path: "golang.org/x/time/", users: []string{"internal/azlocal/..."}},
	{path: "github.com/google/uuid", users: []string{"internal/agent", "internal/azure", "internal/azlocal/..."}},
}

var testModules = []string{
	"github.com/google/go-cmp/", "github.com/rogpeppe/go-internal/", "go.uber.org/goleak", "pgregory.net/rapid", "github.com/goccy/go-yaml",
}
