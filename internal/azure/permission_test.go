package azure_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"mngr/internal/agent"
	"mngr/internal/azlocal/activity"
	"mngr/internal/azure"
	"mngr/internal/azure/permission"
)

const authorizationAPI = "?api-version=2022-04-01"

// person is a principal of the local Azure with roles of its own.
type person struct {
	ObjectID string `json:"object_id"`
	Dir      string `json:"dir"`
}

// control asks the daemon over its socket.
func (l *localAzure) control(path string, body, answer any) {
	l.t.Helper()
	data, err := json.Marshal(body)
	if err != nil {
		l.t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", filepath.Join(l.dir, "control.sock"))
	}}}
	resp, err := client.Post("http://azlocal"+path, "application/json", bytes.NewReader(data))
	if err != nil {
		l.t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		l.t.Fatalf("%s: %s", path, resp.Status)
	}
	if err := json.NewDecoder(resp.Body).Decode(answer); err != nil {
		l.t.Fatal(err)
	}
}

// owner is a provider with all rights; what it asks for must be done.
type owner struct {
	machines
	l     *localAzure
	scope string // of the subscription
}

func (l *localAzure) owner() owner {
	l.t.Helper()
	p := l.provider()
	_, _, scope, err := p.Rights(l.t.Context())
	if err != nil {
		l.t.Fatal(err)
	}
	return owner{p, l, scope}
}

func (o owner) do(method, path string, body any) {
	o.l.t.Helper()
	status, err := o.Send(o.l.t.Context(), method, path, body)
	if err != nil || status >= 400 {
		o.l.t.Fatalf("%s %s: %d %v", method, path, status, err)
	}
}

// hire makes a principal who has the given roles, as `mngr azure permissions` prints them,
// and nothing else. Where a role assigns roles it comes with the condition that is printed.
func (o owner) hire(name string, roles ...permission.Role) person {
	o.l.t.Helper()
	var p person
	o.l.control("/principals", map[string]any{"name": name, "roles": []string{}, "scope": o.scope}, &p)
	for _, r := range roles {
		guid := uuid.NewString()
		scope := r.AssignableScopes[0]
		o.do("PUT", scope+"/providers/Microsoft.Authorization/roleDefinitions/"+guid+authorizationAPI, map[string]any{"properties": map[string]any{
			"roleName": r.Name + " of " + name, "description": r.Description, "type": "CustomRole", "assignableScopes": r.AssignableScopes,
			"permissions": []any{map[string]any{"actions": r.Actions, "notActions": r.NotActions}}}})
		given := map[string]any{"roleDefinitionId": o.scope + "/providers/Microsoft.Authorization/roleDefinitions/" + guid, "principalId": p.ObjectID, "principalType": "ServicePrincipal"}
		if slices.Contains(r.Actions, permission.AssignRole) {
			given["condition"], given["conditionVersion"] = permission.Condition(azure.SelfStopRole(o.subscription())), "2.0"
		}
		o.do("PUT", scope+"/providers/Microsoft.Authorization/roleAssignments/"+uuid.NewString()+authorizationAPI, map[string]any{"properties": given})
	}
	return p
}

func (o owner) subscription() string { return strings.TrimPrefix(o.scope, "/subscriptions/") }

// as is a provider with a person's login, in a group.
func (o owner) as(p person, group string) machines {
	return o.l.provider(func(s *azure.Settings) {
		s.ResourceGroup, s.PollInterval, s.EvictDeallocates = group, 20*time.Millisecond, true
		if p.Dir != "" {
			s.LocalDir = p.Dir
		}
	})
}

// role is the role of a part, without one of its actions.
func (o owner) role(part, group, without string, options permission.Options) permission.Role {
	p, _ := permission.Find(part)
	r := p.Role(permission.Place{Subscription: o.subscription(), ResourceGroup: group}, options)
	r.Actions = slices.DeleteFunc(slices.Clone(r.Actions), func(a string) bool { return a == without })
	return r
}

// asked are the requests of a person, all or those for one operation.
func (l *localAzure) asked(p person, operation string) []activity.Entry {
	l.t.Helper()
	out, err := activity.Read(filepath.Join(l.dir, "activity.jsonl"), func(e activity.Entry) bool {
		return e.Principal == p.ObjectID && (operation == "" || e.Operation == operation)
	})
	if err != nil {
		l.t.Fatal(err)
	}
	return out
}

// diary is what a person has met with, command by command.
type diary struct {
	commands []string
	said     map[string]string
}

func (d *diary) note(command string, err error, more ...any) {
	if d.said == nil {
		d.said = map[string]string{}
	}
	if _, known := d.said[command]; !known {
		d.commands = append(d.commands, command)
	}
	line := fmt.Sprint(more...)
	if err != nil {
		line += fmt.Sprintf(" %s: %v", agent.KindOf(err), err)
	}
	d.said[command] += personal.ReplaceAllString(line, "X") + "\n"
}

// personal is what differs from one person's diary to the next without meaning.
var personal = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f-]{27}|host-[0-9a-z]+|127\.[0-9.]+|-[0-9a-f]{8}\b|group-\d+`)

// changed are the commands of which two diaries tell differently, in their order.
func (d *diary) changed(from *diary) []string {
	var out []string
	for _, command := range from.commands {
		if d.said[command] != from.said[command] {
			out = append(out, command)
		}
	}
	return out
}

// exact checks one part: with exactly its role everything works as for an owner, and with
// any action less the commands for which it is listed do not. live is a life with the
// part's commands in the n-th group, as the person who has the role; some lives at a time.
func exact(t *testing.T, part string, o owner, atATime int, options permission.Options, live func(n int, without string) (*diary, person)) {
	t.Helper()
	p, _ := permission.Find(part)
	role := o.role(part, "any", "", options)
	whole, who := live(0, "")
	for command, said := range whole.said {
		if strings.Contains(said, string(agent.KindDenied)) || strings.Contains(said, "lacks") {
			t.Errorf("%s with the whole role: %s", command, said)
		}
	}
	o.checkUsed(who, role, part == permission.Lookups)
	var wg sync.WaitGroup
	limit := make(chan struct{}, atATime)
	for n, one := range p.Permissions {
		if !slices.Contains(role.Actions, one.Action) {
			continue
		}
		limit <- struct{}{}
		wg.Go(func() {
			defer func() { <-limit }()
			lacking, _ := live(n+1, one.Action)
			changed := lacking.changed(whole)
			if len(changed) == 0 {
				t.Errorf("nobody misses %s", one.Action)
			}
			for _, command := range one.For {
				if !slices.Contains(changed, command) {
					t.Errorf("without %s %s is as ever; different: %v", one.Action, command, changed)
				}
			}
			for _, command := range changed {
				if !slices.Contains(one.For, command) {
					t.Errorf("without %s %s differs, which is not said: %s", one.Action, command, lacking.said[command])
				}
			}
		})
	}
	wg.Wait()
}

// checkUsed compares a role with what a person who has it has done. What a write needs at
// other resources is not in the log under its own name.
func (o owner) checkUsed(who person, role permission.Role, withDaily bool) {
	o.l.t.Helper()
	may := role.Actions
	if withDaily {
		may = slices.Concat(may, o.role(permission.Daily, "any", "", permission.Options{}).Actions)
	}
	used := map[string]bool{}
	for _, e := range o.l.asked(who, "") {
		if used[e.Operation] = true; e.ARM() && e.Status < 400 && !strings.Contains(e.Operation, " ") && !slices.Contains(may, e.Operation) {
			o.l.t.Errorf("%s was done, and is not in the role", e.Operation)
		}
	}
	for _, action := range role.Actions {
		if linked := strings.HasSuffix(action, "/join/action") || strings.HasSuffix(action, "disks/write"); !linked && !used[action] {
			o.l.t.Errorf("%s is in the role, and nobody asked for it", action)
		}
	}
}
