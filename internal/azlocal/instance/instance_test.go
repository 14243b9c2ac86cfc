package instance

import (
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
)

// TestSaveTogether stores an instance from several sides at once, which leaves one of the
// stored files whole and nothing beside it.
func TestSaveTogether(t *testing.T) {
	i, err := Create(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	var savers sync.WaitGroup
	for range 8 {
		savers.Go(func() {
			for range 25 {
				if err := i.Save(); err != nil {
					t.Error(err)
				}
				if _, err := Load(i.Dir); err != nil {
					t.Error(err)
				}
			}
		})
	}
	savers.Wait()
	entries, err := os.ReadDir(i.Dir)
	if err != nil || len(entries) != 1 || entries[0].Name() != "instance.json" {
		t.Errorf("%v, %v", entries, err)
	}
	if info, err := entries[0].Info(); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

// TestPrincipals lists principals wherever the state directory is.
func TestPrincipals(t *testing.T) {
	for _, name := range []string{"plain", "odd [name", "[a-b]*?"} {
		i, err := Create(filepath.Join(t.TempDir(), name))
		if err != nil {
			t.Fatal(err)
		}
		if all, err := i.Principals(); err != nil || len(all) != 0 {
			t.Errorf("%s: without any: %v, %v", name, all, err)
		}
		for _, p := range []string{"second", "first"} {
			if _, err := i.AddPrincipal(p); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Mkdir(filepath.Join(i.Path("principals"), "half"), 0o700); err != nil { // it was being made
			t.Fatal(err)
		}
		all, err := i.Principals()
		names := []string{}
		for _, p := range all {
			names = append(names, p.Name)
		}
		if err != nil || !slices.Equal(names, []string{"first", "second"}) {
			t.Errorf("%s: %v, %v", name, names, err)
		}
	}
}
