package config

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// validFile draws a settings file in the many forms that TOML allows.
func validFile(t *rapid.T) string {
	newline := rapid.SampledFrom([]string{"\n", "\n", "\r\n"}).Draw(t, "newline")
	gap := rapid.SampledFrom([]string{"", "", newline, "# a comment = \"with\" [brackets]" + newline, "  \t" + newline})
	tail := rapid.SampledFrom([]string{"", " # why", "\t"})
	values := []string{
		`cloud = "local"`, `default_region='eastus'`, `nsg_name = """nsg"""`, `os_disk_size_gb = 4_0`,
		"allowed_ssh_cidrs = [ # who" + newline + `  "10.0.0.0/8", # us` + newline + "]", `is_enabled=true`,
		`"admin_username" = "\u006fne"`, `default_start_args = ["a = b # c", '[x]']`,
	}
	var b strings.Builder
	put := func(prefix string, indent string) {
		for _, v := range values {
			if rapid.Bool().Draw(t, "present") {
				b.WriteString(gap.Draw(t, "gap") + indent + prefix + v + tail.Draw(t, "tail") + newline)
			}
		}
	}
	b.WriteString(gap.Draw(t, "gap"))
	if rapid.Bool().Draw(t, "top") {
		b.WriteString("headless = true" + newline)
	}
	switch rapid.IntRange(0, 3).Draw(t, "form") {
	case 0:
		put("providers.azure.", "")
	case 1:
		b.WriteString("[providers]" + newline)
		put("azure.", "  ")
	case 2:
		b.WriteString("[ providers . azure ] # mine" + newline)
		put("", "\t")
	}
	if rapid.Bool().Draw(t, "more") {
		b.WriteString(gap.Draw(t, "gap") + "[commands.create]" + newline + `type = "shell"` + newline)
	}
	if rapid.Bool().Draw(t, "no final newline") {
		return strings.TrimRight(b.String(), "\r\n")
	}
	return b.String()
}

func setting(t *rapid.T) (key, value string) {
	word := rapid.StringMatching(`[a-z][a-z0-9]{1,20}`)
	switch rapid.IntRange(0, 7).Draw(t, "key") {
	case 5:
		return "providers.azure.spot_max_price", fmt.Sprint(float64(rapid.IntRange(1, 99999).Draw(t, "v")) / 1000)
	case 6:
		return "providers.new-one.cloud.ca_file", "/" + word.Draw(t, "v")
	case 0:
		return "headless", fmt.Sprint(rapid.Bool().Draw(t, "v"))
	case 1:
		return "commands.create.type", word.Draw(t, "v")
	case 2:
		return "providers.azure.os_disk_size_gb", fmt.Sprint(rapid.IntRange(30, 4095).Draw(t, "v"))
	case 3:
		return "providers.new-one.default_region", word.Draw(t, "v")
	case 4:
		return "providers.azure.default_start_args", listText(rapid.SliceOf(rapid.StringMatching(`[ -~é\x7f]{1,8}`)).Draw(t, "v"))
	}
	return "providers.azure.default_region", word.Draw(t, "v")
}

func listText(list []string) string { return Value{Value: append([]string{}, list...)}.Text() }

// edit runs an edit on bytes, as Set and Unset do on a file.
func edit(data []byte, change func(*document) (splice, error)) ([]byte, splice, error) {
	var made splice
	after, err := edited("settings.toml", data, func(d *document) (splice, error) {
		s, err := change(d)
		made = s
		return s, err
	}, judged)
	return after, made, err
}

func get(t interface{ Fatal(...any) }, data []byte, key string) (string, bool) {
	d, err := parseDocument("settings.toml", data)
	if err != nil {
		t.Fatal(err)
	}
	s, origins := defaults(), trail{}
	if err := d.apply(&s, LayerUser, origins); err != nil {
		t.Fatal(err)
	}
	f, _ := s.find(key, true)
	_, ok := origins[key]
	return Value{Value: f.read()}.Text(), ok
}

func TestSetThenGetThenUnset(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		before := []byte(validFile(t))
		key, value := setting(t)
		path := strings.Split(key, ".")
		scratch := defaults()
		f, _ := scratch.find(key, true)
		v, wrong := f.parse(value)
		if wrong == nil {
			wrong = f.assign(v)
		}
		if wrong == nil {
			wrong = f.verify()
		}
		if wrong != nil {
			t.Skip("not a valid value")
		}
		_, present := get(t, before, key)

		after, s, err := edit(before, func(d *document) (splice, error) { return d.setKey(path, literal(v)) })
		if err != nil {
			t.Fatalf("set %s = %q in\n%s\n%v", key, value, before, err)
		}
		if got, ok := get(t, after, key); !ok || got != value {
			t.Fatalf("set %s = %q, got %q from\n%s", key, value, got, after)
		}
		if !bytes.Equal(after[:s.start], before[:s.start]) || !bytes.HasSuffix(after, before[s.end:]) {
			t.Fatalf("other bytes changed:\n%q\n%q", before, after)
		}
		if !present && s.start != s.end {
			t.Fatalf("adding %s removed %q", key, before[s.start:s.end])
		}

		last, _, err := edit(after, func(d *document) (splice, error) {
			s, ok, err := d.unsetKey(path)
			if !ok {
				t.Fatalf("%s is not there to be removed", key)
			}
			return s, err
		})
		if err != nil {
			t.Fatalf("unset %s in\n%s\n%v", key, after, err)
		}
		if _, ok := get(t, last, key); ok {
			t.Fatalf("%s is still set in\n%s", key, last)
		}
	})
}

// FuzzParse: whatever a settings file holds, it is read or refused with a place, and
// what is read can be edited.
func FuzzParse(f *testing.F) {
	full, err := os.ReadFile("testdata/full.toml")
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{string(full), "", "a=1", "providers={azure={cloud='local'}}", "[providers.azure]\r\ncloud=\"x\"", "\ufeffheadless=true", "x=[{}]"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := parseDocument("settings.toml", data)
		if err == nil {
			s := defaults()
			err = d.apply(&s, LayerUser, trail{})
		}
		if err != nil {
			if p, ok := err.(*Problem); !ok || p.Origin.Line < 1 || p.hint == "" {
				t.Fatalf("refused without place or remedy: %#v", err)
			}
			return
		}
		after, _, err := edit(data, func(d *document) (splice, error) {
			return d.setKey([]string{"providers", "azure", "default_region"}, `"eastus"`)
		})
		if p, ok := err.(*Problem); ok && p.cause == inlineCause {
			return
		}
		if err != nil {
			t.Fatalf("edit of a valid file: %v\n%q", err, data)
		}
		if got, ok := get(t, after, "providers.azure.default_region"); !ok || got != "eastus" {
			t.Fatalf("set eastus, got %q in\n%s", got, after)
		}
	})
}
