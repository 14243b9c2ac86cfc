package e2e

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// maxUnwinding is how long the computer may take to clear away what nobody holds any more:
// the kernel and the container engine end some of it after they have answered.
const maxUnwinding = 10 * time.Second

// census is what this computer has of everything that a local Azure makes on it, a line
// each, sorted. Images are not of it: they stay by intention. Of processes it has those
// that know of the state directory dir, and the helpers of container engine and emulator.
func census(dir string) ([]string, error) {
	all, err := processes(dir)
	if err != nil {
		return nil, err
	}
	for _, source := range []struct {
		kind string
		argv []string
	}{
		{"container", []string{"docker", "ps", "--all", "--format", "{{.Names}}"}},
		{"volume", []string{"docker", "volume", "ls", "--quiet"}},
		{"network", []string{"docker", "network", "ls", "--format", "{{.Name}}"}},
		{"namespace", []string{"ip", "netns", "list"}},
		{"firewall", []string{"nft", "--stateless", "list", "ruleset"}},
		{"mount", []string{"findmnt", "--noheadings", "--list", "--output", "TARGET,FSTYPE"}},
		{"device", []string{"ip", "-brief", "link"}},
		{"address", []string{"ip", "-brief", "-4", "address"}},
		{"policy", []string{"ip", "rule"}},
		{"route", []string{"ip", "-4", "route", "show", "table", "all"}},
	} {
		out, err := exec.Command(source.argv[0], source.argv[1:]...).Output()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", strings.Join(source.argv, " "), err)
		}
		for line := range strings.Lines(string(out)) {
			if strings.HasPrefix(line, os.TempDir()) && !strings.Contains(line, dir) {
				continue // a mount of somebody else's test
			}
			all = append(all, source.kind+" "+strings.Join(strings.Fields(line), " "))
		}
	}
	groups, err := controlGroups()
	all = append(all, groups...)
	slices.Sort(all)
	return all, err
}

// processes may end while they are looked at: what cannot be read is gone.
func processes(dir string) ([]string, error) {
	entries, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return nil, err
	}
	var all []string
	for _, proc := range entries {
		raw, _ := os.ReadFile(filepath.Join(proc, "cmdline"))
		environ, _ := os.ReadFile(filepath.Join(proc, "environ"))
		argv := strings.TrimSpace(strings.ReplaceAll(string(raw), "\x00", " "))
		name := filepath.Base(strings.SplitN(argv, " ", 2)[0])
		helper := strings.HasPrefix(name, "containerd-shim") || strings.HasPrefix(name, "qemu-system") || name == "docker-proxy" || name == "slirp4netns"
		if helper || argv != "" && strings.Contains(argv+string(environ), dir) {
			all = append(all, "process "+argv)
		}
	}
	return all, nil
}

// controlGroups are those of containers, without what is inside, which is the guest's.
func controlGroups() ([]string, error) {
	var all []string
	err := filepath.WalkDir("/sys/fs/cgroup", func(path string, entry fs.DirEntry, err error) error {
		name := filepath.Base(path)
		switch {
		case os.IsNotExist(err):
			return nil // gone meanwhile
		case err != nil || !entry.IsDir():
			return err
		case filepath.Base(filepath.Dir(path)) == "docker" || strings.HasPrefix(name, "docker-") && strings.HasSuffix(name, ".scope"):
			all = append(all, "cgroup "+path)
			return fs.SkipDir
		}
		return nil
	})
	return all, err
}

// unlike compares two censuses line by line, of which some occur more than once: what is
// new has a plus sign, what is missing a minus sign.
func unlike(before, after []string) []string {
	count := map[string]int{}
	for _, line := range after {
		count["+ "+line]++
	}
	for _, line := range before {
		if count["+ "+line] > 0 {
			count["+ "+line]--
		} else {
			count["- "+line]++
		}
	}
	var all []string
	for line, n := range count {
		all = append(all, slices.Repeat([]string{line}, n)...)
	}
	slices.Sort(all)
	return all
}

// settled waits until the computer is as it was, and returns what still differs.
func settled(before []string, dir string) ([]string, error) {
	for deadline := time.Now().Add(maxUnwinding); ; time.Sleep(200 * time.Millisecond) {
		now, err := census(dir)
		if err != nil {
			return nil, err
		}
		if diff := unlike(before, now); len(diff) == 0 || time.Now().After(deadline) {
			return diff, nil
		}
	}
}

// nothingLeft takes a census, and after the test's other cleanups that are registered
// later holds the computer against it.
func nothingLeft(t *testing.T, dir string) {
	before, err := census(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		left, err := settled(before, dir)
		if err != nil || len(left) > 0 {
			t.Errorf("after reset this computer is not as it was before: %v\n%s", err, strings.Join(left, "\n"))
		}
	})
}

// census DIR FILE writes down what this computer has of everything that a local Azure makes
// on it; DIR is the state directory by which its processes are known.
func takeCensus(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: census DIR FILE")
	}
	all, err := census(args[0])
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(strings.Join(all, "\n")), 0o600))
}

// asbefore DIR FILE wants the computer to be as FILE has it; with ! in front it wants it to
// be otherwise. What differs is in the file "differences".
func asBefore(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: asbefore DIR FILE")
	}
	before := strings.Split(ts.ReadFile(args[1]), "\n")
	var diff []string
	var err error
	if neg {
		var now []string
		now, err = census(args[0])
		diff = unlike(before, now)
	} else {
		diff, err = settled(before, args[0])
	}
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs("differences"), []byte(strings.Join(diff, "\n")+"\n"), 0o600))
	if neg == (len(diff) == 0) {
		ts.Fatalf("%d lines differ from %s\n%s", len(diff), args[1], strings.Join(diff, "\n"))
	}
}
