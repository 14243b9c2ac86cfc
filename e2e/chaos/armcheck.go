package chaos

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"mngr/e2e/rig"
)

// compareLimit bounds the wait until bill and list agree: what Azure does by itself after a
// deletion takes milliseconds here.
const compareLimit = 10 * time.Second

// wordsOf judges how a command ended: in time, and with words for people.
func wordsOf(r rig.Result) []Finding {
	if r.Hung {
		return []Finding{{Hang, r.String()}}
	}
	for _, raw := range []string{"panic:", "goroutine ", "RESPONSE ", "ERROR CODE", "--------", "unexpected status"} {
		if strings.Contains(r.Stderr+r.Stdout, raw) {
			return []Finding{{Rude, fmt.Sprintf("it says %q\n%s", raw, r)}}
		}
	}
	if r.Code != 0 && !strings.Contains(r.Stderr, "Error: ") && !strings.Contains(r.Stderr, "Warning: ") {
		return []Finding{{Rude, "it failed without an error\n" + r.String()}}
	}
	return nil
}

// compare lists, and holds the list to the bill, once nothing is under way any more.
func (s *scene) compare(ctx context.Context) (rig.Listing, []Finding, error) {
	return agree(ctx, s.who, func(l rig.Listing) (st rig.Status, unclaimed map[string]bool, err error) {
		if st, err = s.settled(ctx); err != nil {
			return st, nil, err
		}
		unclaimed, err = s.unclaimed(ctx, l, st)
		return st, unclaimed, err
	})
}

// agree lists until the list is what is billed, or for compareLimit. bill also tells of which
// machines that are gone gc speaks.
func agree(ctx context.Context, who *rig.Operator, bill func(rig.Listing) (st rig.Status, unclaimed map[string]bool, err error)) (rig.Listing, []Finding, error) {
	until := time.Now().Add(compareLimit)
	for {
		r, err := who.Run(ctx, "list", "--format", "json")
		if err != nil {
			return rig.Listing{}, nil, err
		}
		l, found := readListing(r)
		if len(found) > 0 {
			return l, found, nil
		}
		st, unclaimed, err := bill(l)
		if err != nil {
			return l, nil, err
		}
		wrong := differences(l, st, unclaimed)
		if len(wrong) == 0 {
			return l, nil, nil
		}
		if time.Now().After(until) {
			return l, []Finding{{Leak, fmt.Sprintf("list and bill differ: %s\n%s\nbilled: %s", strings.Join(wrong, "; "), r, charges(st))}}, nil
		}
		if err := pause(ctx); err != nil {
			return l, nil, err
		}
	}
}

func readListing(r rig.Result) (rig.Listing, []Finding) {
	var l rig.Listing
	if found := wordsOf(r); len(found) > 0 {
		return l, found
	}
	if err := r.Decode(&l); err != nil || len(l.Errors) > 0 {
		return l, []Finding{{Else, fmt.Sprintf("list does not tell: %v\n%s", err, r)}}
	}
	return l, nil
}

// unclaimed names the machines of which parts are billed that list cannot show, since the
// machine is gone, and that gc names.
func (s *scene) unclaimed(ctx context.Context, l rig.Listing, st rig.Status) (map[string]bool, error) {
	gone := slices.ContainsFunc(st.Billed, func(c rig.Charge) bool {
		return c.Meter != "compute" && !slices.ContainsFunc(l.Hosts, func(h rig.Host) bool { return machineOf(h.Resource) == machineOf(c.Resource) })
	})
	if !gone {
		return nil, nil
	}
	var found struct {
		Candidates []struct {
			Name string `json:"name"`
		} `json:"candidates"`
	}
	if err := s.who.Must(ctx, &found, "gc", "--dry-run", "--format", "json"); err != nil {
		return nil, err
	}
	names := map[string]bool{}
	for _, c := range found.Candidates {
		names[machineOf(c.Name)] = true
	}
	return names, nil
}

// differences are those between what list says of bills and what is billed. Of a machine
// that failed, list may say that it does not know; of parts without a machine, gc speaks.
func differences(l rig.Listing, st rig.Status, unclaimed map[string]bool) []string {
	var wrong []string
	said := map[string]string{} // what list says of a machine, by its lower-case name
	unknown := map[string]bool{}
	for _, h := range l.Hosts {
		name := machineOf(h.Resource)
		said[name] = h.Billing
		unknown[name] = h.State == "FAILED" && h.Billing == "unknown"
	}
	billed := map[string]string{}
	for _, c := range st.Billed {
		name := machineOf(c.Resource)
		if c.Meter == "compute" {
			billed[name] = "compute"
		} else if billed[name] == "" {
			billed[name] = "storage"
		}
	}
	for name, kind := range billed {
		if said[name] != kind && !unknown[name] && !(kind == "storage" && said[name] == "" && unclaimed[name]) {
			wrong = append(wrong, fmt.Sprintf("%s is billed for %s, and listed as %q", name, kind, said[name]))
		}
	}
	for name, kind := range said {
		if kind != "none" && !unknown[name] && billed[name] == "" {
			wrong = append(wrong, fmt.Sprintf("%s is listed as %q, and nothing of it is billed", name, kind))
		}
	}
	slices.Sort(wrong)
	return wrong
}

// machineOf is the name of the machine that an id belongs to: the machine's own, or that of
// its disk, interface or address.
func machineOf(id string) string {
	name := strings.ToLower(id[strings.LastIndex(id, "/")+1:])
	for _, part := range []string{"-os", "-nic", "-ip"} {
		if i := strings.LastIndex(name, part); i > 0 && !strings.Contains(strings.ToLower(id), "/virtualmachines/") {
			return name[:i]
		}
	}
	return name
}

func charges(st rig.Status) string {
	var all []string
	for _, c := range st.Billed {
		all = append(all, c.Meter+" of "+c.Resource[strings.LastIndex(c.Resource, "/")+1:])
	}
	return strings.Join(all, ", ")
}

// lost are agents that were acknowledged and are not listed.
func (s *scene) lost(l rig.Listing) []Finding {
	var found []Finding
	for _, name := range s.known {
		if !slices.Contains(agentNames(l), name) {
			found = append(found, Finding{Lost, fmt.Sprintf("agent %s was acknowledged; listed are %q", name, agentNames(l))})
		}
	}
	return found
}

// olderFiles lets an hour pass for what this operator's machine keeps: of a create that Azure
// has not answered something is kept for as long as its machine may still come.
func (s *scene) olderFiles() error {
	ago := time.Now().Add(-time.Hour)
	for _, path := range s.keepsakes() {
		if err := os.Chtimes(path, ago, ago); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("age %s: %w", path, err)
		}
	}
	return nil
}

// keepsakes are the files that this operator's machine keeps of hosts.
func (s *scene) keepsakes() []string {
	var all []string
	for _, pattern := range []string{"hosts/host-*", "pending/host-*"} {
		some, err := filepath.Glob(filepath.Join(s.who.Home, ".mngr", pattern))
		if err == nil {
			all = append(all, some...)
		}
	}
	return slices.DeleteFunc(all, func(path string) bool {
		_, err := os.Stat(path)
		return err != nil
	})
}
