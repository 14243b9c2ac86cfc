package azurecheck

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// runner runs the built mngr, with settings of its own, and shows every command.
type runner struct {
	binary   string
	dir      string   // to run in: no project's settings
	env      []string // besides the caller's
	provider string
	out      io.Writer
}

// mngr runs one command and returns its standard output.
func (r *runner) mngr(ctx context.Context, args ...string) (string, error) {
	fmt.Fprintf(r.out, "\n$ mngr %s\n", strings.Join(args, " "))
	cmd := exec.CommandContext(ctx, r.binary, args...)
	cmd.Dir, cmd.Env = r.dir, append(os.Environ(), r.env...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // an interrupt reaches it once, through us
	cmd.WaitDelay = 15 * time.Minute                      // an interrupted create undoes what it made
	var stdout, stderr bytes.Buffer
	cmd.Stdout = io.MultiWriter(&stdout, r.out)
	cmd.Stderr = io.MultiWriter(&stderr, r.out)
	begin := time.Now()
	err := cmd.Run()
	fmt.Fprintf(r.out, "[%.1f s]\n", time.Since(begin).Seconds())
	if err != nil {
		return stdout.String(), fmt.Errorf("mngr %s: %w: %s", args[0], err, short(lastLine(stderr.String())))
	}
	return stdout.String(), nil
}

func lastLine(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	for _, l := range lines {
		if strings.HasPrefix(l, "Error:") {
			return l
		}
	}
	return lines[len(lines)-1]
}

// state is what list shows of the agent's host.
func (r *runner) state(ctx context.Context) (string, error) {
	text, err := r.mngr(ctx, "list", "--format", "json", "--provider", r.provider)
	var l struct {
		Hosts []struct{ Name, State string }
	}
	if jsonErr := json.Unmarshal([]byte(text), &l); jsonErr != nil {
		return "", errors.Join(err, jsonErr)
	}
	for _, h := range l.Hosts {
		if h.Name == agentName {
			return h.State, err
		}
	}
	return "", err
}

func (r *runner) expect(ctx context.Context, want string) error {
	got, err := r.state(ctx)
	if err == nil && got != want {
		err = fmt.Errorf("mngr list shows host %s as %q, want %q", agentName, got, want)
	}
	return err
}

const agentName = "check"

// life is one agent's life. Between its first start and its stop the caller may use the
// machine. A machine without a guest leaves out what needs SSH.
func (r *runner) life(ctx context.Context, guest bool, idle time.Duration, tag string, used func() error) error {
	create := []string{"create", agentName, "--provider", r.provider, "--transfer", "none", "--no-connect", "--tag", tag}
	if !guest {
		return r.steps(
			r.step(ctx, append(create, "--no-wait", "--", "sleep", "86400")...),
			used, // which waits until the machine is made
			r.step(ctx, "stop", "@"+agentName),
			func() error { return r.expect(ctx, "STOPPED") },
			r.step(ctx, "destroy", "--force", "@"+agentName),
			func() error { return r.expect(ctx, "") },
		)
	}
	create = append(create, "--idle-mode", "ssh", "--idle-timeout", fmt.Sprintf("%ds", int(idle.Seconds())), "--", "sleep", "86400")
	return r.steps(
		r.step(ctx, create...),
		func() error { return r.expect(ctx, "RUNNING") },
		r.step(ctx, "exec", agentName, "echo hello"),
		used,
		r.step(ctx, "stop", agentName),
		func() error { return r.expect(ctx, "STOPPED") },
		r.step(ctx, "start", agentName),
		r.step(ctx, "exec", agentName, "echo hello again"),
		func() error { return r.idle(ctx, idle) },
		r.step(ctx, "destroy", "--force", agentName),
		func() error { return r.expect(ctx, "") },
	)
}

func (r *runner) step(ctx context.Context, args ...string) func() error {
	return func() error {
		_, err := r.mngr(ctx, args...)
		return err
	}
}

func (r *runner) steps(all ...func() error) error {
	for _, do := range all {
		if err := do(); err != nil {
			return err
		}
	}
	return nil
}

// idle waits until the machine has deallocated itself: its timeout, and up to ten minutes
// until a new role assignment counts (Microsoft, "Troubleshoot Azure RBAC").
func (r *runner) idle(ctx context.Context, timeout time.Duration) error {
	fmt.Fprintf(r.out, "\nwaiting until the idle machine deallocates itself (%s, and up to 15 minutes more)\n", timeout)
	ctx, cancel := context.WithTimeout(ctx, timeout+15*time.Minute)
	defer cancel()
	for {
		if state, err := r.state(ctx); err == nil && state == "STOPPED" {
			return nil
		}
		timer := time.NewTimer(timeout / 6)
		select {
		case <-ctx.Done():
			timer.Stop()
			return fmt.Errorf("the idle machine did not deallocate itself: %w", ctx.Err())
		case <-timer.C:
		}
	}
}

// groupOnly asks with the agent's machine's own identity, which gets rights on the group
// only, for the subscription's list. The group's list is the control.
func (r *runner) groupOnly(ctx context.Context, c *arm, p *probe) (Finding, error) {
	f := Finding{Switch: "list-with-group-rights", Question: "a subscription's list for a caller with rights on a group only"}
	principal, err := agentPrincipal(ctx, c, p.group)
	if err != nil {
		return f, err
	}
	given, id, err := p.assign(ctx, p.group, principal)
	if err != nil {
		return f, err
	}
	if given.status == 403 {
		f.Evidence = "not asked: the login may not assign roles"
		return f, nil
	}
	defer func() { _, _ = c.send(context.WithoutCancel(ctx), "DELETE", id, rolesVersion, nil) }()
	subscription, _, _ := strings.Cut(p.group, "/resourceGroups/")
	text, err := r.mngr(ctx, "exec", "--outer", agentName, askAsMachine(c.endpoint, p.group, subscription))
	if err != nil {
		return f, err
	}
	words := strings.Fields(text)
	f.Evidence = "as the machine: group's list " + strings.Join(words, ", subscription's list ")
	switch words[len(words)-1] {
	case "200":
		f.Answer = "filtered"
	case "403":
		f.Answer = "forbidden"
	}
	return f, nil
}

// askAsMachine prints the status of the group's list, once it is 200, and that of the
// subscription's.
func askAsMachine(endpoint, group, subscription string) string {
	const vms = "/providers/Microsoft.Compute/virtualMachines?api-version=" + computeVersion
	return `ca=; [ -f /etc/mngr/arm-ca.pem ] && ca="--cacert /etc/mngr/arm-ca.pem"
ask() { token=$(curl -s -H Metadata:true "http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https://management.azure.com/" | sed 's/.*"access_token" *: *"\([^"]*\)".*/\1/')
printf 'header = "Authorization: Bearer %s"\n' "$token" | curl -s $ca --config - -o /dev/null -w '%{http_code}\n' "$1"; }
n=0; until [ "$(ask "` + endpoint + group + vms + `")" = 200 ]; do n=$((n+1)); [ $n -lt 90 ] || break; sleep 10; done
ask "` + endpoint + group + vms + `"; ask "` + endpoint + subscription + vms + `"`
}

// agentPrincipal is the identity of the agent's machine, once that is made.
func agentPrincipal(ctx context.Context, c *arm, group string) (string, error) {
	for {
		a, err := c.send(ctx, "GET", group+"/providers/Microsoft.Compute/virtualMachines", computeVersion, nil)
		if err != nil {
			return "", err
		}
		var list struct {
			Value []struct {
				machine
				Tags map[string]string
			}
		}
		if err := a.into(&list); err != nil {
			return "", err
		}
		for _, vm := range list.Value {
			if vm.Tags["mngr-host-name"] == "mngr-"+agentName && vm.Properties.ProvisioningState == "Succeeded" {
				return vm.Identity.PrincipalID, nil
			}
		}
		if err := c.pause(ctx); err != nil {
			return "", fmt.Errorf("wait for the agent's machine: %w", err)
		}
	}
}
