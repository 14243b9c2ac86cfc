package dockerbuild

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mngr/internal/agent"
	"mngr/internal/dockerflags"
)

func lookup(name string) (string, bool) {
	value, ok := map[string]string{"TOKEN": "t0ken", "EMPTY": ""}[name]
	return value, ok
}

func TestParse(t *testing.T) {
	tests := []struct {
		args string // separated by |
		want Spec
	}{
		{".", Spec{Context: "/cwd"}},
		{"../x", Spec{Context: "/x"}},
		{"/abs/", Spec{Context: "/abs"}},
		{"--file=Dockerfile|.", Spec{Context: "/cwd", Dockerfile: "/cwd/Dockerfile"}},
		{"--file|d/Dockerfile|.", Spec{Context: "/cwd", Dockerfile: "/cwd/d/Dockerfile"}},
		{"-f|/d|.", Spec{Context: "/cwd", Dockerfile: "/d"}},
		{"-fd|.|-f=e", Spec{Context: "/cwd", Dockerfile: "/cwd/e"}},
		{"--file=|.", Spec{Context: "/cwd"}},
		{".|--no-cache|--pull=false", Spec{Context: "/cwd", Args: []string{"--no-cache=true", "--pull=false"}}},
		{"--build-arg|A=b=c d|--target|x|.", Spec{Context: "/cwd", Args: []string{"--build-arg=A=b=c d", "--target=x"}}},
		{"--build-arg|TOKEN|.", Spec{Context: "/cwd", Args: []string{"--build-arg=TOKEN"}, Env: map[string]string{"TOKEN": "t0ken"}}},
		{"--build-arg=EMPTY|.", Spec{Context: "/cwd", Args: []string{"--build-arg=EMPTY"}, Env: map[string]string{"EMPTY": ""}}},
		{"--secret|id=a,src=f|--secret=id=b,env=TOKEN|--secret=id=TOKEN|.", Spec{Context: "/cwd", Secrets: []Secret{
			{ID: "a", File: "/cwd/f"}, {ID: "b", Value: "t0ken"}, {ID: "TOKEN", Value: "t0ken"},
		}}},
		{"--progress=plain|-m|1g|--network=none|.", Spec{Context: "/cwd", Args: []string{"--memory=1g", "--network=none"}}},
		{"--build-context|base=docker-image://debian|.", Spec{Context: "/cwd", Args: []string{"--build-context=base=docker-image://debian"}}},
		{"--|.", Spec{Context: "/cwd"}},
	}
	for _, test := range tests {
		got, err := Parse(strings.Split(test.args, "|"), Rules{Dir: "/cwd", Lookup: lookup})
		if err != nil {
			t.Errorf("%s: %v", test.args, err)
			continue
		}
		if diff := cmp.Diff(&test.want, got); diff != "" {
			t.Errorf("%s: %s", test.args, diff)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	const usage, refused = agent.KindUsage, agent.KindRefused
	tests := []struct {
		args string
		kind agent.Kind
		says string
	}{
		{"--build-arg=A=b", usage, "no build context"},
		{"--target|.", usage, "no build context"}, // the context is taken for the value, as docker does
		{"a|b", usage, "one context"},
		{"-", usage, "standard input"},
		{"--file=-|.", usage, "standard input"},
		{"https://example.com/a.git", usage, "not on this machine"},
		{"git@example.com:a.git", usage, "not on this machine"},
		{"--build-arg|MISSING|.", usage, "MISSING is not set"},
		{"--build-arg|DOCKER_HOST|.", usage, "itself reads DOCKER_HOST"},
		{"--build-arg|a b=c|.", usage, "no name"},
		{"--build-arg", usage, "lacks its value"},
		{"--secret|src=f|.", usage, "needs id"},
		{"--secret|id=a,target=b|.", usage, "not \"target\""},
		{"--secret|id=MISSING|.", usage, "MISSING is not set"},
		{"-t|x|.", usage, "names the image itself"},
		{"--tag=x|.", usage, "names the image itself"},
		{"-o|out|.", usage, "stays on the machine"},
		{"--push|.", usage, "stays on the machine"},
		{"--load|.", usage, "stays on the machine"},
		{"--builder=x|.", usage, "own engine"},
		{"--iidfile=x|.", usage, "written on the machine"},
		{"--ssh|default|.", usage, "no SSH agent"},
		{"--cache-from=type=local,src=/|.", usage, "read on the machine"},
		{"--cache-to=type=registry,ref=x|.", usage, "stays on the machine"},
		{"--build-context|a=/etc|.", usage, "docker-image"},
		{"--progress=tty|.", usage, "line by line"},
		{"--label=mngr-x=1|.", usage, "mngr's own"},
		{"--privileged|.", usage, "known to be safe"},
		{"--entitlement=x|.", usage, "known to be safe"},
		{"--netw=host|.", usage, "known to be safe"},

		{"--network=host|.", refused, "network of the machine"},
		{"--network|container:x|.", refused, "network of the machine"},
		{"--allow=network.host|.", refused, "entitles"},
		{"--security-opt|seccomp=unconfined|.", refused, "confinement"},
		{"--cgroup-parent=/|.", refused, "control group"},
	}
	for _, test := range tests {
		args := strings.Split(test.args, "|")
		_, err := Parse(args, Rules{Dir: "/cwd", Lookup: lookup})
		if err == nil || agent.KindOf(err) != test.kind || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: got %v (%s), want %s: %s", test.args, err, agent.KindOf(err), test.kind, test.says)
		}
		// Unsafe lets pass what breaks the boundary and nothing else.
		_, err = Parse(args, Rules{Dir: "/cwd", Lookup: lookup, Unsafe: true})
		if (err == nil) != (test.kind == refused) {
			t.Errorf("%s, unsafe: got %v", test.args, err)
		}
	}
}

// In a directory that has been deleted only absolute paths are found.
func TestParseWithoutDirectory(t *testing.T) {
	rules := Rules{Lookup: lookup}
	for _, args := range [][]string{{"."}, {"--file=a", "/x"}, {"--secret=id=a,src=b", "/x"}} {
		if _, err := Parse(args, rules); err == nil || !strings.Contains(err.Error(), "has been deleted") {
			t.Errorf("%q: %v", args, err)
		}
	}
	if _, err := Parse([]string{"--file=/a", "/x"}, rules); err != nil {
		t.Errorf("absolute paths: %v", err)
	}
}

// What is accepted goes to docker as flags with their values attached, none of them one
// that is refused, however it was written.
func FuzzBuildArgs(f *testing.F) {
	for _, seed := range []string{".", "-f\nx\n.", "--build-arg\nTOKEN\n.", "-tx\n.", "--network\nhost\n.", "--secret\nid=a,src=b\n.", "-q=\n.", "--\n--tag"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, joined string) {
		spec, err := Parse(strings.Split(joined, "\n"), Rules{Dir: "/cwd", Lookup: lookup})
		if err != nil {
			return
		}
		if !strings.HasPrefix(spec.Context, "/") {
			t.Errorf("context %q", spec.Context)
		}
		flags, words, err := dockerflags.Build().Parse(spec.Args)
		if err != nil || len(words) > 0 || len(flags) != len(spec.Args) {
			t.Fatalf("docker would read %q as %v and %q: %v", spec.Args, flags, words, err)
		}
		for _, flag := range flags {
			forbidden := []string{"tag", "output", "file", "secret", "allow", "security-opt", "builder", "iidfile", "ssh"}
			if slices.Contains(forbidden, flag.Name) || !flag.Known || flag.Name == "network" && flag.Value == "host" {
				t.Errorf("accepted %q", flag.Raw)
			}
		}
		if strings.Contains(strings.Join(spec.Args, " "), "t0ken") {
			t.Errorf("a value of the environment is in %q", spec.Args)
		}
	})
}
