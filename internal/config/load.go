package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"mngr/internal/agent"
)

// Options say where settings come from.
type Options struct {
	Home      string     // the user's home directory
	WorkDir   string     // where the search for a project begins; "" for none
	Environ   []string   // KEY=VALUE, as os.Environ gives them
	Overrides []Override // -S and flags, the weakest first
}

// Override is a value from the command line.
type Override struct {
	Key   string // "providers.azure.default_region"
	Value string // text, see Set
	Flag  string // "--region" for a flag; "" for -S
}

// ParseSetting splits the argument of -S, "a.b=value".
func ParseSetting(s string) (Override, error) {
	key, value, ok := strings.Cut(s, "=")
	if !ok || key == "" {
		return Override{}, agent.Errorf(agent.KindUsage, "-S %q is not of the form key=value", s).
			WithHint("for example -S providers.azure.default_region=eastus")
	}
	return Override{Key: key, Value: value}, nil
}

func (o Options) getenv(name string) string {
	for _, kv := range slices.Backward(o.Environ) {
		if k, v, _ := strings.Cut(kv, "="); k == name {
			return v
		}
	}
	return ""
}

// Config is the merged settings with their origins.
type Config struct {
	Settings
	Files  Files
	layers trail
}

// Load merges all layers. What cannot work is a *Problem (agent.KindUsage) that names
// file and line; nothing has been written by then.
func Load(opts Options) (*Config, error) {
	files, err := Locate(opts)
	if err != nil {
		return nil, err
	}
	c := &Config{Settings: defaults(), Files: files, layers: trail{}}
	for _, layer := range []struct {
		name Layer
		path string
	}{{LayerUser, files.User}, {LayerProject, files.Project}, {LayerLocal, files.Local}} {
		if err := c.addFile(layer.name, layer.path); err != nil {
			return nil, err
		}
	}
	if err := c.addEnviron(opts.Environ); err != nil {
		return nil, err
	}
	for _, o := range opts.Overrides {
		origin := Origin{Layer: LayerSetting, Name: "-S"}
		if o.Flag != "" {
			origin = Origin{Layer: LayerFlag, Name: o.Flag}
		}
		if err := c.addText(strings.ReplaceAll(o.Key, " ", ""), o.Value, origin); err != nil {
			return nil, err
		}
	}
	return c, c.settle()
}

func (c *Config) addFile(layer Layer, path string) error {
	if path == "" {
		return nil
	}
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return agent.Errorf(agent.KindInternal, "read settings: %w", err).WithHint("set HOME, or MNGR_HOST_DIR, to a directory that can be used")
	}
	d, err := parseDocument(path, data)
	if err != nil {
		return err
	}
	return d.apply(&c.Settings, layer, c.layers)
}

// addEnviron reads MNGR__A__B=value: segments in capitals, hyphens as underscores.
func (c *Config) addEnviron(environ []string) error {
	for _, kv := range environ {
		name, value, _ := strings.Cut(kv, "=")
		rest, ok := strings.CutPrefix(name, envPrefix)
		if !ok {
			continue
		}
		path := strings.Split(strings.ToLower(rest), "__")
		if len(path) >= 3 && path[0] == "providers" {
			path[1] = c.instanceFromEnv(path[1])
		}
		if err := c.addText(strings.Join(path, "."), value, Origin{Layer: LayerEnv, Name: name}); err != nil {
			return err
		}
	}
	return nil
}

// instanceFromEnv finds the instance that a variable means: a variable's name can hold
// neither hyphens nor lower case.
func (c *Config) instanceFromEnv(word string) string {
	for _, name := range c.names() {
		if strings.ReplaceAll(strings.ToLower(name), "-", "_") == word {
			return name
		}
	}
	return word
}

// addText sets a key of an instance that exists already: a misspelt name must not make
// a new one.
func (c *Config) addText(key, value string, origin Origin) error {
	key = normalize(key)
	if name, _, ok := instanceKey(key); ok && c.Providers[name] == nil {
		return &Problem{origin, key, fault{
			fmt.Sprintf("there is no provider instance %q", name),
			fmt.Sprintf("mngr config set providers.%s.backend azure --scope user # makes one; known are %s", name, strings.Join(c.names(), ", ")),
		}}
	}
	f, ok := c.find(key, false)
	if !ok {
		return &Problem{origin, key, unknown(&c.Settings, strings.Split(key, "."))}
	}
	v, wrong := f.parse(value)
	if wrong != nil {
		return &Problem{origin, key, *wrong}
	}
	if err := assign(&c.Settings, strings.Split(key, "."), v, origin); err != nil {
		return err
	}
	c.layers.note(&c.Settings, key, origin)
	return nil
}

// normalize writes the last segment of a key with underscores; an instance's name stays.
func normalize(key string) string {
	if rest, ok := strings.CutPrefix(key, "providers."); ok && !strings.Contains(rest, ".") {
		return key
	}
	i := strings.LastIndexByte(key, '.') + 1
	return key[:i] + strings.ReplaceAll(key[i:], "-", "_")
}

// Origin says where a key's value comes from.
func (c *Config) Origin(key string) Origin {
	if all := c.layers[normalize(key)]; len(all) > 0 {
		return all[len(all)-1].Origin
	}
	return Origin{Layer: LayerDefault}
}

// IsSet tells whether any layer above the defaults gives the key.
func (c *Config) IsSet(key string) bool { return c.Origin(key).Layer != LayerDefault }

// Explain returns a key's value and where it comes from.
func (c *Config) Explain(key string) (Value, error) {
	key = normalize(key)
	f, ok := c.find(key, false)
	if !ok {
		wrong := unknown(&c.Settings, strings.Split(key, "."))
		return Value{}, agent.Errorf(agent.KindNotFound, "%s: %s", key, wrong.cause).WithHint("%s", wrong.hint)
	}
	return Value{f.key, f.read(), c.Origin(f.key)}, nil
}

// Layers returns what every layer says of a key, the one in force first, the built-in
// value last.
func (c *Config) Layers(key string) []Value {
	key = normalize(key)
	scratch := defaults()
	f, ok := scratch.find(key, true)
	if !ok {
		return nil
	}
	all := append([]Value{{key, f.read(), Origin{Layer: LayerDefault}}}, c.layers[key]...)
	slices.Reverse(all)
	return all
}

// List returns every key, sorted by table, with its value and origin.
func (c *Config) List() []Value {
	var all []Value
	for _, f := range c.fields() {
		all = append(all, Value{f.key, f.read(), c.Origin(f.key)})
	}
	return all
}

// Provider returns an instance by name.
func (c *Config) Provider(name string) (Provider, error) {
	p, ok := c.Providers[name]
	if !ok {
		return Provider{}, agent.Errorf(agent.KindUsage, "there is no provider instance %q", name).
			WithHint("mngr config set providers.%s.backend azure --scope user # makes one; known are %s", name, strings.Join(c.names(), ", "))
	}
	return *p, nil
}

// Enabled returns an instance by name, unless it is switched off.
func (c *Config) Enabled(name string) (Provider, error) {
	p, err := c.Provider(name)
	if err == nil && !p.IsEnabled {
		return Provider{}, c.switchedOff(name)
	}
	return p, err
}

// switchedOff names the remedy that counts: a settings file is below the environment and the
// command line.
func (c *Config) switchedOff(name string) error {
	key := "providers." + name + ".is_enabled"
	at := c.Origin(key)
	err := agent.Errorf(agent.KindUsage, "provider instance %q is switched off: is_enabled is false (%s)", name, at)
	others := "known are " + strings.Join(c.names(), ", ")
	if on := c.Instances(); len(on) > 0 {
		others = "or --provider " + on[0].Name
	}
	switch at.Layer {
	case LayerEnv:
		return err.WithHint("unset %s # switches it on; %s", at.Name, others)
	case LayerSetting, LayerFlag:
		return err.WithHint("leave %s out, %s", at, others)
	case LayerProject, LayerLocal:
		return err.WithHint("mngr config set %s true --scope %s # switches it on; %s", key, at.Layer, others)
	}
	return err.WithHint("mngr config set %s true # switches it on; %s", key, others)
}

// Instances returns the enabled instances, sorted by name.
func (c *Config) Instances() []Provider {
	var all []Provider
	for _, name := range c.names() {
		if p := c.Providers[name]; p.IsEnabled {
			all = append(all, *p)
		}
	}
	return all
}
