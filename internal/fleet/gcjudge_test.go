package fleet

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"testing"
	"time"

	"mngr/internal/agent"
)

// shown is a provider of which one look is taken.
type shown struct {
	Machines
	name  string
	hosts []agent.Host
	parts []agent.Leftover
	err   error
	asked *int // counts the questions for prices
	there bool // its machines are, whatever the list shows
}

func (s shown) Name() string                                        { return s.name }
func (s shown) List(context.Context) ([]agent.Host, error)          { return s.hosts, s.err }
func (s shown) Leftovers(context.Context) ([]agent.Leftover, error) { return s.parts, nil }
func (s shown) Rates(_ context.Context, hosts []agent.Host) []agent.Rate {
	if s.asked != nil {
		*s.asked++
	}
	return make([]agent.Rate, len(hosts))
}
func (s shown) Get(context.Context, string) (agent.Host, error) {
	if s.there {
		return agent.Host{}, nil
	}
	return agent.Host{}, agent.Errorf(agent.KindNotFound, "not there")
}

type keptGuests struct {
	Guests
	hosts []KnownHost
}

func (k keptGuests) Known() ([]KnownHost, error) { return k.hosts, nil }

type keptSpots struct {
	Spots
	hosts []SpotHost
}

func (k keptSpots) Load() ([]SpotHost, error) { return k.hosts, nil }

// keptLocks has nothing pending; somebody is at the busy host.
type keptLocks struct {
	Pending
	busy agent.HostID
}

func (k keptLocks) Known() ([]agent.HostID, error)    { return nil, nil }
func (k keptLocks) Load(agent.HostID) ([]byte, error) { return nil, fs.ErrNotExist }
func (k keptLocks) Saved(agent.HostID) (time.Time, error) {
	return time.Time{}, fs.ErrNotExist
}
func (k keptLocks) Held(id agent.HostID) (bool, error) { return id == k.busy, nil }

var gcNow = time.Unix(1_000_000, 0)

func collecting(p ...shown) *Fleet {
	f := &Fleet{Now: func() time.Time { return gcNow }, Guests: keptGuests{}, Spots: keptSpots{}, Pending: keptLocks{}}
	for _, s := range p {
		f.Instances = append(f.Instances, Instance{Machines: s})
	}
	return f
}

// verdicts are, by name, "goes", or why a thing is kept.
func verdicts(t *testing.T, f *Fleet, o GCOptions) map[string]string {
	t.Helper()
	list, err := f.FindGarbage(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, g := range list.Items {
		if out[g.Name] = g.Kept; g.Kept == "" {
			out[g.Name] = "goes"
		}
	}
	return out
}

func TestWhichMachinesAreGarbage(t *testing.T) {
	const half, whole = "vm=AAAA", "vm=AAAA container=AAAA"
	ci := GCOptions{TagName: "purpose", TagValue: "ci", OlderThan: time.Hour}
	for name, c := range map[string]struct {
		state     agent.HostState
		keys, tag string
		age       time.Duration
		o         GCOptions
		busy      bool
		want      string // "" is no candidate
	}{
		"old and unfinished":       {agent.HostRunning, half, "", 46 * time.Minute, GCOptions{}, false, "goes"},
		"young":                    {agent.HostRunning, half, "", 45 * time.Minute, GCOptions{}, false, "younger than 45 minutes"},
		"young, forced":            {agent.HostRunning, half, "", time.Minute, GCOptions{Force: true}, false, "goes"},
		"of no known age":          {agent.HostRunning, half, "", -1, GCOptions{Force: true}, false, "its age is not known"},
		"somebody is at it":        {agent.HostRunning, half, "", time.Hour, GCOptions{}, true, "is making it"},
		"after a destroy":          {agent.HostRunning, half, "", time.Hour, GCOptions{Automatic: true}, false, "by mngr gc only"},
		"young, after a destroy":   {agent.HostRunning, half, "", time.Minute, GCOptions{Automatic: true}, false, ""},
		"failed, finished":         {agent.HostFailed, whole, "", time.Hour, GCOptions{Force: true}, false, "agents ran on it"},
		"being deleted":            {agent.HostDeleting, half, "", time.Hour, GCOptions{}, false, ""},
		"finished":                 {agent.HostRunning, whole, "", time.Hour, GCOptions{Force: true}, false, ""},
		"stopped, finished":        {agent.HostStopped, whole, "", time.Hour, GCOptions{Force: true}, false, ""},
		"tagged":                   {agent.HostRunning, whole, "ci", 61 * time.Minute, ci, false, "goes"},
		"tagged, young":            {agent.HostRunning, whole, "ci", time.Minute, ci, false, ""},
		"tagged, of no known age":  {agent.HostRunning, whole, "ci", -1, ci, false, "its age is not known"},
		"tagged, being deleted":    {agent.HostDeleting, whole, "ci", 2 * time.Hour, ci, false, ""},
		"tagged otherwise":         {agent.HostRunning, whole, "other", 2 * time.Hour, ci, false, ""},
		"tagged other, unfinished": {agent.HostRunning, half, "other", 2 * time.Hour, ci, false, ""},
	} {
		h := host("a", c.state)
		h.CreatedAt = gcNow.Add(-c.age)
		if c.age < 0 {
			h.CreatedAt = time.Time{}
		}
		h.Tags = map[string]string{"mngr-host-keys": c.keys, "purpose": c.tag}
		f := collecting(shown{name: "p", hosts: []agent.Host{h}})
		if c.busy {
			f.Pending = keptLocks{busy: h.ID}
		}
		got, is := verdicts(t, f, c.o)["a"]
		if is != (c.want != "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// Prices may take seconds to come, or not to come: all are asked for together, and only
// where something is to be priced.
func TestPricesOfGarbageAreAskedForTogether(t *testing.T) {
	for n, want := range []int{0, 1, 1, 1} {
		asked := 0
		p := shown{name: "p", asked: &asked}
		for i := range n {
			h := host(string(rune('a'+i)), agent.HostFailed)
			h.Tags = map[string]string{"mngr-host-keys": "vm=AAAA"}
			p.hosts = append(p.hosts, h)
		}
		if got := verdicts(t, collecting(p), GCOptions{}); len(got) != n || asked != want {
			t.Errorf("%d machines: %d questions, %v", n, asked, got)
		}
	}
}

func TestWhichPartsGoByTag(t *testing.T) {
	part := func(name, value string, age time.Duration) agent.Leftover {
		return agent.Leftover{Kind: agent.LeftoverDisk, Name: name, Resource: name, Tags: map[string]string{"purpose": value}, Since: gcNow.Add(-age)}
	}
	f := collecting(shown{name: "p", parts: []agent.Leftover{part("old", "ci", 2*time.Hour), part("young", "ci", time.Minute), part("other", "x", 2*time.Hour)}})
	if got := verdicts(t, f, GCOptions{TagName: "purpose", TagValue: "ci", OlderThan: time.Hour}); len(got) != 1 || got["old"] != "goes" {
		t.Errorf("by tag: %v", got)
	}
	if got := verdicts(t, f, GCOptions{}); len(got) != 3 {
		t.Errorf("all: %v", got)
	}
}

// Files of this machine go when their host is gone for certain, and nobody is at it.
func TestWhichLocalFilesAreGarbage(t *testing.T) {
	silent := errors.New("no answer")
	machine := host("a", agent.HostRunning)
	for name, c := range map[string]struct {
		providers []shown
		only      []string
		resource  string
		busy      bool
		want      string
	}{
		"gone":                        {[]shown{{name: "p"}}, nil, "", false, "goes"},
		"gone, its machine was noted": {[]shown{{name: "p"}, {name: "q", err: silent}}, nil, "/vm/a", false, "goes"},
		"it is there, and not listed": {[]shown{{name: "p", there: true}}, nil, "/vm/a", false, ""},
		"it is there":                 {[]shown{{name: "p", hosts: []agent.Host{machine}}}, nil, "", false, ""},
		"somebody is at it":           {[]shown{{name: "p"}}, nil, "", true, ""},
		"one could not be asked":      {[]shown{{name: "p"}, {name: "q", err: silent}}, nil, "", false, "it may be at q, which could not be asked"},
		"one was not asked":           {[]shown{{name: "p"}, {name: "q"}}, []string{"p"}, "", false, "it may be at q, which was not asked"},
		"nobody could be asked":       {[]shown{{name: "p", err: silent}}, nil, "/vm/a", false, "no provider that was asked could see its machine"},
	} {
		f := collecting(c.providers...)
		f.Guests = keptGuests{hosts: []KnownHost{{ID: machine.ID, Path: "/files", Resource: c.resource}}}
		if c.busy {
			f.Pending = keptLocks{busy: machine.ID}
		}
		got, is := verdicts(t, f, GCOptions{Providers: c.only})[string(machine.ID)]
		if is != (c.want != "") || got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// What a provider shows whose other list failed proves nothing.
func TestAFailedLookIsNoEmptyOne(t *testing.T) {
	part := agent.Leftover{Kind: agent.LeftoverDisk, Name: "loose", Resource: "loose"}
	list, err := collecting(shown{name: "p", parts: []agent.Leftover{part}, err: errors.New("no answer")}).FindGarbage(t.Context(), GCOptions{})
	if err != nil || len(list.Items) != 0 || len(list.Errors) != 1 {
		t.Errorf("%+v, %v", list, err)
	}
}

// An evicted Spot host is listed for a week, from what this machine keeps of it.
func TestSpotNotesStayWhileTheyAreListed(t *testing.T) {
	for want, seen := range map[string]time.Duration{"": spotKept, "goes": spotKept + time.Second} {
		f := collecting(shown{name: "p"})
		f.Spots = keptSpots{hosts: []SpotHost{{ID: "host-a", Resource: "/vm/a", LastSeen: gcNow.Add(-seen)}}}
		if got := verdicts(t, f, GCOptions{})["host-a"]; got != want {
			t.Errorf("last seen %s ago: %q, want %q", seen, got, want)
		}
	}
}
