package dockerbuild

import (
	"encoding/csv"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"mngr/internal/agent"
	"mngr/internal/dockerflags"
)

// Spec is an image to be built. It holds values of the user's environment: whoever keeps
// one keeps a secret.
type Spec struct {
	Context    string            // absolute path of the directory
	Dockerfile string            // absolute path; "" for the context's own
	Args       []string          // for docker build, each as --name=value
	Env        map[string]string // build arguments that take their value from the environment
	Secrets    []Secret
	GitDepth   int // >0: the image gets a clone of that many commits instead of .git
}

// Secret is a --secret of docker build: a file of the user's, or a value.
type Secret struct {
	ID    string
	File  string // absolute path; "" for Value
	Value string
}

// Rules are what Parse depends on.
type Rules struct {
	Dir    string // the current directory; "" where it has been deleted
	Lookup func(name string) (value string, ok bool)
	Unsafe bool // what breaks the boundary may pass
}

// decided are flags that mngr sets itself, or whose effect it could not use.
func decided() map[string]string {
	return map[string]string{
		"builder":       "the machine's own engine builds",
		"call":          "mngr wants an image",
		"check":         "mngr wants an image",
		"help":          "see docker build --help on a machine with docker",
		"iidfile":       "it would be written on the machine",
		"load":          "the image stays on the machine in any case",
		"metadata-file": "it would be written on the machine",
		"output":        "the image stays on the machine",
		"policy":        "it would be read on the machine",
		"push":          "the image stays on the machine",
		"ssh":           "no SSH agent is lent to the machine; --secret sends a file",
		"stream":        "the context is sent by mngr",
		"tag":           "mngr names the image itself",
	}
}

// breaking are flags that give a build more than an agent's container has.
func breaking() map[string]string {
	return map[string]string{
		"allow":         "entitles the build to the machine",
		"cgroup-parent": "leaves the build's control group",
		"security-opt":  "loosens the build's confinement",
	}
}

// Parse reads the arguments of docker build. Errors are *agent.Error: agent.KindRefused for
// what Rules.Unsafe would let pass, else agent.KindUsage.
func Parse(args []string, rules Rules) (*Spec, error) {
	flags, words, err := dockerflags.Build().Parse(args)
	if err != nil {
		return nil, agent.Errorf(agent.KindUsage, "build argument %w", err)
	}
	p := parser{rules: rules, spec: Spec{}}
	for _, f := range flags {
		if err := p.flag(f); err != nil {
			return nil, err
		}
	}
	if err := p.context(words); err != nil {
		return nil, err
	}
	return &p.spec, nil
}

type parser struct {
	rules Rules
	spec  Spec
}

func (p *parser) flag(f dockerflags.Flag) error {
	refused := func(reason string) error {
		return agent.Errorf(agent.KindUsage, "build argument %q: %s", f.Raw, reason)
	}
	switch {
	case decided()[f.Name] != "":
		return refused(decided()[f.Name])
	case !f.Known:
		return refused("no flag of docker build that is known to be safe")
	case f.Name == "label" && strings.HasPrefix(f.Value, "mngr-"):
		return refused("labels that begin with mngr- are mngr's own")
	}
	if reason := breaks(f); reason != "" && !p.rules.Unsafe {
		return agent.Errorf(agent.KindRefused, "build argument %q %s", f.Raw, reason).
			WithHint("a Dockerfile may run anything, and --unsafe-start-args lets it pass and takes from the host its right to deallocate itself")
	}
	if reason := local(f); reason != "" {
		return refused(reason)
	}
	switch f.Name {
	case "file":
		return p.file(f)
	case "secret":
		return p.secret(f)
	case "build-arg":
		return p.buildArg(f)
	case "progress":
		if f.Value != "plain" && f.Value != "auto" {
			return refused("the output is shown line by line: plain")
		}
		return nil
	}
	p.spec.Args = append(p.spec.Args, f.Argv())
	return nil
}

func breaks(f dockerflags.Flag) string {
	if f.Name == "network" && !slices.Contains([]string{"", "default", "none"}, f.Value) {
		return "shares a network of the machine"
	}
	return breaking()[f.Name]
}

// local says why a flag that names files of the machine that builds cannot work.
func local(f dockerflags.Flag) string {
	kind := strings.ToLower(fields(f.Value)["type"])
	switch {
	case f.Name == "build-context" && !strings.Contains(f.Value, "=docker-image://"):
		return "only docker-image:// can be a further context"
	case f.Name == "cache-from" && kind == "local":
		return "the directory would be read on the machine"
	case f.Name == "cache-to" && kind != "inline":
		return "the cache stays on the machine"
	}
	return ""
}

func (p *parser) file(f dockerflags.Flag) error {
	switch f.Value {
	case "":
		return nil
	case "-":
		return agent.Errorf(agent.KindUsage, "build argument %q: the Dockerfile cannot come from standard input", f.Raw)
	}
	var err error
	p.spec.Dockerfile, err = p.absolute(f.Value)
	return err
}

var argName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]*$`)

// buildArg keeps a value that is named but not given out of every command line.
func (p *parser) buildArg(f dockerflags.Flag) error {
	name, _, given := strings.Cut(f.Value, "=")
	switch {
	case !argName.MatchString(name):
		return agent.Errorf(agent.KindUsage, "build argument %q: %q is no name of a build argument", f.Raw, name)
	case given:
		p.spec.Args = append(p.spec.Args, f.Argv())
		delete(p.spec.Env, name)
		return nil
	case strings.HasPrefix(name, "DOCKER_") || strings.HasPrefix(name, "LD_") || name == "PATH" || name == "HOME":
		return agent.Errorf(agent.KindUsage, "build argument %q: the docker command itself reads %s", f.Raw, name).
			WithHint("-b --build-arg -b %s=VALUE", name)
	}
	value, ok := p.rules.Lookup(name)
	if !ok {
		return agent.Errorf(agent.KindUsage, "build argument %q: the variable %s is not set here", f.Raw, name).
			WithHint("-b --build-arg=%s=VALUE, or leave it out for the default of the Dockerfile", name)
	}
	if p.spec.Env == nil {
		p.spec.Env = map[string]string{}
	}
	p.spec.Env[name] = value
	p.spec.Args = append(p.spec.Args, "--build-arg="+name)
	return nil
}

var secretID = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]*$`)

// secret reads id=ID with src=FILE or env=VARIABLE; without both the variable ID.
func (p *parser) secret(f dockerflags.Flag) error {
	values := fields(f.Value)
	id, source := values["id"], values["src"]+values["source"]
	known := map[string]bool{"id": true, "src": true, "source": true, "env": true, "type": true}
	for key := range maps.Keys(values) {
		if !known[key] {
			return agent.Errorf(agent.KindUsage, "build argument %q: --secret knows id, src and env, not %q", f.Raw, key)
		}
	}
	if !secretID.MatchString(id) {
		return agent.Errorf(agent.KindUsage, "build argument %q: a secret needs id=NAME", f.Raw)
	}
	s := Secret{ID: id}
	if source != "" {
		var err error
		if s.File, err = p.absolute(source); err != nil {
			return err
		}
	} else {
		variable := values["env"]
		if variable == "" {
			variable = id
		}
		value, ok := p.rules.Lookup(variable)
		if !ok {
			return agent.Errorf(agent.KindUsage, "build argument %q: the variable %s is not set here", f.Raw, variable).
				WithHint("--secret id=%s,src=FILE sends a file", id)
		}
		s.Value = value
	}
	p.spec.Secrets = append(p.spec.Secrets, s)
	return nil
}

// context takes the one word that is no flag.
func (p *parser) context(words []string) error {
	const hint = "name the directory, for example: -b . or -b --file=docker/Dockerfile -b ."
	switch {
	case len(words) == 0:
		return agent.Errorf(agent.KindUsage, "there are arguments of docker build, but no build context").WithHint("%s", hint)
	case len(words) > 1:
		return agent.Errorf(agent.KindUsage, "docker build takes one context, and %q are %d", words, len(words)).WithHint("%s", hint)
	case words[0] == "":
		return agent.Errorf(agent.KindUsage, "the build context is empty").WithHint("%s", hint)
	case words[0] == "-":
		return agent.Errorf(agent.KindUsage, "the build context cannot come from standard input").WithHint("%s", hint)
	case strings.Contains(words[0], "://") || strings.HasPrefix(words[0], "git@"):
		return agent.Errorf(agent.KindUsage, "the build context %q is not on this machine", words[0]).
			WithHint("clone or download it, and name the directory")
	}
	var err error
	p.spec.Context, err = p.absolute(words[0])
	return err
}

func (p *parser) absolute(path string) (string, error) {
	if filepath.IsAbs(path) {
		return filepath.Clean(path), nil
	}
	if p.rules.Dir == "" {
		return "", agent.Errorf(agent.KindUsage, "%q cannot be found: the current directory has been deleted", path).
			WithHint("change into a directory that exists, or write an absolute path")
	}
	return filepath.Join(p.rules.Dir, path), nil
}

// fields reads docker's key=value lists; what is no such list has no fields.
func fields(value string) map[string]string {
	found := map[string]string{}
	record, err := csv.NewReader(strings.NewReader(value)).Read()
	if err != nil {
		return found
	}
	for _, field := range record {
		key, v, _ := strings.Cut(field, "=")
		found[strings.ToLower(strings.TrimSpace(key))] = v
	}
	return found
}
