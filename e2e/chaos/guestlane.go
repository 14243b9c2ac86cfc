package chaos

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"mngr/e2e/rig"
)

// guestLimit is after which time a command with a machine hangs: the longest deadline that a
// trial may wait for is two minutes, and a machine boots besides.
const guestLimit = 4 * time.Minute

// bootLimit is the same for a create from nothing while other lanes boot machines too.
const bootLimit = 3 * guestLimit

// kept is the file of an agent's whose loss is the loss of the agent.
const kept = "kept"

// lane is a resource group with an operator of its own and, once made, one host. Trials of
// several lanes go on side by side: those that hang cost time and no work.
type lane struct {
	azure  *rig.Azure
	who    *rig.Operator
	arm    *rig.Client
	group  string
	table  *Table
	ledger *ledger
	only   string // the beginning of the names of the trials to be made
	say    func(format string, args ...any)

	vm         rig.Machine // of the host
	unfinished string      // the tag of its host keys before the container had one
}

func newLane(ctx context.Context, azure *rig.Azure, name string, table *Table, ledger *ledger, say func(string, ...any)) (*lane, error) {
	who, err := azure.Operator(name)
	if err != nil {
		return nil, err
	}
	who.Limit = guestLimit
	instance := "MNGR__PROVIDERS__AZURE_LOCAL__"
	who.Env = []string{instance + "RESOURCE_GROUP=" + name, instance + "IMAGE_PUBLISHER=azlocal", instance + "IMAGE_OFFER=debian-12-docker"}
	arm, err := rig.NewClient(ctx, azure.Dir)
	if err != nil {
		return nil, err
	}
	l := &lane{azure: azure, who: who, arm: arm, group: name, table: table, ledger: ledger, say: say}
	if err := l.repository(ctx); err != nil {
		return nil, err
	}
	return l, who.Must(ctx, nil, "azure", "prepare", "--provider", rig.Provider)
}

// repository makes the operator's home one, with enough in it for a push to take a while.
func (l *lane) repository(ctx context.Context) error {
	noise := make([]byte, 4<<20)
	for i := range noise {
		noise[i] = byte(i * i >> 7 & 0xff) // git's compression takes its time over it
	}
	if err := os.WriteFile(filepath.Join(l.who.Home, "file"), noise, 0o600); err != nil {
		return fmt.Errorf("make a repository: %w", err)
	}
	line := `git init -qb main && echo .mngr >.git/info/exclude && git add . && git -c user.name=T -c user.email=t@example.com commit -qm one`
	cmd := exec.CommandContext(ctx, "sh", "-c", line)
	cmd.Dir, cmd.Env = l.who.Home, append(os.Environ(), "HOME="+l.who.Home)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("make a repository: %w: %s", err, out)
	}
	return nil
}

// create are the words that make an agent.
func create(name string) []string {
	return []string{"create", name, "--provider", rig.Provider, "--no-connect", "--", "sleep", "100000"}
}

// settle makes the lane's host out of nothing, returns the steps of its create, and leaves a
// file with its agent.
func (l *lane) settle(ctx context.Context) ([]step, error) {
	l.who.Limit = bootLimit
	defer func() { l.who.Limit = guestLimit }()
	steps, err := l.record(ctx, create("a"))
	if err != nil {
		return nil, err
	}
	st, err := l.status(ctx)
	if err != nil {
		return nil, err
	}
	if len(st.VMs) != 1 {
		return nil, fmt.Errorf("%d machines in %s, want one", len(st.VMs), l.group)
	}
	l.vm = st.VMs[0]
	tags, err := l.tags(ctx)
	if err != nil {
		return nil, err
	}
	l.unfinished, _, _ = strings.Cut(tags["mngr-host-keys"], " container=")
	return steps, l.keep(ctx, "a")
}

func (l *lane) keep(ctx context.Context, name string) error {
	return l.who.Must(ctx, nil, "exec", name, "echo "+name+" >"+kept)
}

// keeps tells whether an agent that runs has its file.
func (l *lane) keeps(ctx context.Context, name string) ([]Finding, error) {
	r, err := l.who.Run(ctx, "exec", name, "cat "+kept)
	if err == nil && (r.Code != 0 || strings.TrimSpace(r.Stdout) != name) {
		return []Finding{{Lost, "its file is gone\n" + r.String()}}, nil
	}
	return nil, err
}

// status is the part of the local Azure's that is this lane's.
func (l *lane) status(ctx context.Context) (rig.Status, error) {
	all, err := l.azure.Status(ctx)
	mine := rig.Status{SubscriptionID: all.SubscriptionID}
	in := "/resourcegroups/" + strings.ToLower(l.group) + "/"
	for _, vm := range all.VMs {
		if strings.Contains(strings.ToLower(vm.ID), in) {
			mine.VMs = append(mine.VMs, vm)
		}
	}
	for _, c := range all.Billed {
		if strings.Contains(strings.ToLower(c.Resource), in) {
			mine.Billed = append(mine.Billed, c)
		}
	}
	return mine, err
}

func (l *lane) tags(ctx context.Context) (map[string]string, error) {
	status, answer, err := l.arm.Do(ctx, http.MethodGet, l.vm.ID+"?api-version="+computeAPI, nil)
	var vm struct{ Tags map[string]string }
	if err == nil {
		err = json.Unmarshal(answer, &vm)
	}
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("look at the machine: %d: %s", status, answer)
	}
	return vm.Tags, err
}

// blankScript makes a machine what it was when its sshd had just come up, apart from the
// images that it has pulled.
const blankScript = `systemctl disable --now --quiet mngrd; docker rm -f mngr mngr-tools; docker volume rm -f mngr-data
rm -rf /usr/local/lib/mngr/mngrd* /var/lib/mngr/guest /var/lib/mngr/host.json /run/mngr/reported /run/mngr/stopped; test ! -e /var/lib/mngr/host.json`

// blank takes a host back to where its create was cut short as soon as its machine was up:
// a create goes on from there as from its own machine, without the boot.
func (l *lane) blank(ctx context.Context) error {
	if err := l.running(ctx); err != nil {
		return err
	}
	if err := l.outer(ctx, blankScript); err != nil {
		return err
	}
	body := fmt.Sprintf(`{"operation":"Merge","properties":{"tags":{"mngr-host-keys":%q}}}`, l.unfinished)
	status, answer, err := l.arm.Do(ctx, http.MethodPatch, l.vm.ID+"/providers/Microsoft.Resources/tags/default?api-version="+resourcesAPI, []byte(body))
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("tag the machine: %d: %s", status, answer)
	}
	// The container to come has another host key.
	return errors.Join(err, os.RemoveAll(filepath.Join(l.who.Home, ".mngr", "hosts")))
}

// outer runs a line on the machine, past SSH.
func (l *lane) outer(ctx context.Context, line string) error {
	var got struct {
		Code   int
		Stderr []byte
	}
	err := l.azure.Control(ctx, http.MethodPost, "/machines/"+url.PathEscape(l.vm.ID)+"/exec", map[string]any{"argv": []string{"sh", "-c", line}}, &got)
	if err == nil && got.Code != 0 {
		err = fmt.Errorf("on the machine: %s: code %d: %s", line, got.Code, got.Stderr)
	}
	return err
}

// running and stopped bring the lane's host where a trial wants it.
func (l *lane) running(ctx context.Context) error { return l.bring(ctx, "start", "compute") }
func (l *lane) stopped(ctx context.Context) error { return l.bring(ctx, "stop", "storage") }

func (l *lane) bring(ctx context.Context, verb, billing string) error {
	all, err := l.who.List(ctx)
	if err != nil {
		return err
	}
	if len(all.Hosts) == 1 && all.Hosts[0].Billing == billing && (billing == "storage" || all.Hosts[0].State == "RUNNING") {
		return nil
	}
	return l.who.Must(ctx, nil, verb, "a")
}

// compare holds the list to the bill.
func (l *lane) compare(ctx context.Context) (rig.Listing, []Finding, error) {
	return agree(ctx, l.who, func(rig.Listing) (rig.Status, map[string]bool, error) {
		st, err := l.status(ctx)
		return st, nil, err
	})
}

// end destroys what the lane has and wants nothing to be left.
func (l *lane) end(ctx context.Context) ([]Finding, error) {
	all, err := l.who.List(ctx)
	if err != nil {
		return nil, err
	}
	for _, h := range all.Hosts {
		if r, err := l.who.Run(ctx, "destroy", "--force", "@"+h.Name); err != nil || r.Code != 0 {
			return []Finding{{Else, "destroy fails\n" + r.String()}}, err
		}
	}
	if r, err := l.who.Run(ctx, "gc"); err != nil || r.Code != 0 {
		return []Finding{{Else, "gc fails\n" + r.String()}}, err
	}
	st, err := l.status(ctx)
	if err == nil && len(st.VMs)+len(st.Billed) > 0 {
		return []Finding{{Leak, fmt.Sprintf("left: %v, billed: %s", st.VMs, charges(st))}}, nil
	}
	return nil, err
}
