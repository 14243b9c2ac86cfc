package hostsetup

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mngr/internal/dockerflags"
)

func TestRunArgs(t *testing.T) {
	got := RunArgs(Container{
		Name: "mngr", Volume: "mngr-data", GuestDir: GuestDir, SignalDir: SignalDir,
		Image: "debian:bookworm-slim", HostID: "host-1", HostName: "my_agent", Provider: "azure",
		SSHPort: 2222, StartArgs: []string{"--memory", "1g"},
	})
	want := strings.Fields(`--name mngr --user 0 --entrypoint /opt/mngr/mngrd --restart no --hostname my-agent
		--publish 2222:22
		--mount type=volume,source=mngr-data,target=/mngr
		--mount type=bind,source=/var/lib/mngr/guest,target=/opt/mngr,readonly
		--mount type=bind,source=/run/mngr-signal,target=/run/mngr-signal
		--stop-timeout 30 --log-driver local --log-opt max-size=10m
		--label mngr-host-id=host-1 --label mngr-host-name=my_agent --label mngr-provider=azure
		--memory 1g debian:bookworm-slim init`)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// Our own arguments are the positive control of the parser: it must know each of them.
func TestRunArgsAreFlags(t *testing.T) {
	args := RunArgs(Container{Name: "n", Volume: "v", GuestDir: "/g", SignalDir: "/s", Image: "i", SSHPort: 1})
	flags, words, err := dockerflags.Run().Parse(args)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"i", "init"}, words); diff != "" {
		t.Error(diff)
	}
	if !slices.ContainsFunc(flags, func(f dockerflags.Flag) bool { return f.Name == "publish" && f.Value == "1:22" }) {
		t.Errorf("no publish in %v", flags)
	}
	for _, f := range flags {
		if !f.Known {
			t.Errorf("unknown flag %v", f)
		}
	}
}

func TestHostname(t *testing.T) {
	for name, want := range map[string]string{
		"my-agent":               "my-agent",
		"a_b c":                  "a-b-c",
		"":                       "mngr",
		"---":                    "mngr",
		strings.Repeat("x", 100): strings.Repeat("x", 63),
	} {
		if got := hostname(name); got != want {
			t.Errorf("hostname(%q) = %q, want %q", name, got, want)
		}
	}
}
