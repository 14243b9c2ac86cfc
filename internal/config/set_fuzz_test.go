package config

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mngr/internal/agent"
)

// Whatever a settings file holds, a value is set in it, or the file stays as it is to the
// byte; setting it again changes nothing, and taking it back takes it back.
func FuzzSet(f *testing.F) {
	for _, seed := range [][3]string{
		{"", "providers.azure.default_region", "eastus"},
		{"[providers.azure] # x\r\nallowed_ssh_cidrs=[\n'1.2.3.4', # y\n]\n", "providers.azure.allowed_ssh_cidrs", `["10.0.0.0/8"]`},
		{"headless=true", "headless", "false"},
		{"providers={a={cloud='local'}}", "providers.a.default_vm_size", `"\u001b`},
		{"[providers.\"a.b\"]", "providers.azure.os_disk_size_gb", "64"},
		{"\ufeff", "commands.create.type", "\x00"},
		{"a=1", "headless", "true"},
	} {
		f.Add([]byte(seed[0]), seed[1], seed[2])
	}
	f.Fuzz(func(t *testing.T, before []byte, key, value string) {
		path := filepath.Join(t.TempDir(), "settings.toml")
		if err := os.WriteFile(path, before, 0o600); err != nil {
			t.Fatal(err)
		}
		read := func() []byte {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			return data
		}
		err := Set(path, key, value)
		after := read()
		if err != nil {
			if !bytes.Equal(before, after) {
				t.Fatalf("refused with %v, and written: %q", err, after)
			}
			return
		}
		d, err := parseDocument("settings.toml", after)
		if err == nil {
			err = judged(d)
		}
		if err != nil {
			t.Fatalf("set %q = %q in %q made %q: %v", key, value, before, after, err)
		}
		if err := Set(path, key, value); err != nil || !bytes.Equal(after, read()) {
			t.Fatalf("set twice: %v, %q and %q", err, after, read())
		}
		if err := Unset(path, key); err != nil {
			t.Fatalf("unset %q in %q: %v", key, after, err)
		}
		if err := Unset(path, key); agent.KindOf(err) != agent.KindNotFound {
			t.Fatalf("unset %q twice: %v", key, err)
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Fatal(info.Mode(), err)
		}
	})
}

// A word of the command line or of the environment is a setting or is refused as one.
func FuzzParseSetting(f *testing.F) {
	for _, s := range []string{"headless=true", "providers.azure.default_region=eastus", "=", "a", "providers..x=1", "PROVIDERS.AZURE.IS-ENABLED=false"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		if strings.ContainsRune(in, 0) {
			return // no argument and no variable can hold it
		}
		o, err := ParseSetting(in)
		if err != nil {
			if agent.KindOf(err) != agent.KindUsage {
				t.Errorf("%q is refused with %#v", in, err)
			}
			return
		}
		dir := t.TempDir()
		_, err = Load(Options{Home: dir, WorkDir: dir, Overrides: []Override{o}, Environ: []string{envPrefix + in}})
		if p, ok := errors.AsType[*Problem](err); err != nil && !ok && agent.KindOf(err) != agent.KindUsage {
			t.Errorf("%q: %#v %v", in, err, p)
		}
	})
}
