package azure

import (
	"context"
	"time"

	"mngr/internal/agent"
)

// registerPatience is how long a new subscription may take to register a resource
// provider: Microsoft.Network has been seen to need a quarter of an hour.
const registerPatience = 15 * time.Minute

// PrepareOptions are what a user may say to prepare.
type PrepareOptions struct {
	Region           string   // "" for the instance's
	AllowedSSHCIDRs  []string // nil: as configured; see Settings.AllowedSSHCIDRs
	UseExistingGroup bool     // work in a group that mngr did not make
}

// Part is one thing that prepare made or found.
type Part struct {
	Kind    string `json:"kind"` // "resource group", "network", "security rule" …
	Name    string `json:"name"`
	Created bool   `json:"created"`
}

// PrepareResult says what is there now. Created tells whether the group is new.
type PrepareResult struct {
	SubscriptionID string
	ResourceGroup  string
	Region         string
	Created        bool
	Parts          []Part
	Warnings       []string
}

// Prepare makes what hosts need in a region: resource providers registered, a group, a
// network whose security rules admit SSH, and the role with which a machine stops
// itself. What is there already is left as it is; a second run writes nothing.
func (p *Provider) Prepare(ctx context.Context, o PrepareOptions, progress agent.Progress) (PrepareResult, error) {
	n := p.settings.network(o.Region)
	cidrs, err := parseCIDRs(o.AllowedSSHCIDRs)
	if err != nil {
		return PrepareResult{}, agent.Errorf(agent.KindUsage, "allowed SSH source: %w", err)
	}
	if cidrs == nil {
		cidrs, _ = parseCIDRs(p.settings.AllowedSSHCIDRs) // checked by New
	}
	s, err := p.session(ctx)
	if err != nil {
		return PrepareResult{}, err
	}
	w := &preparation{p: p, s: s, n: n, o: o, cidrs: cidrs, progress: progress, result: PrepareResult{
		SubscriptionID: s.subscription, ResourceGroup: p.settings.ResourceGroup, Region: n.region}}
	err = w.run(ctx)
	return w.result, err
}

// preparation is one run of Prepare.
type preparation struct {
	p        *Provider
	s        *session
	n        network
	o        PrepareOptions
	cidrs    []string // sources; nil where nobody said anything
	progress agent.Progress
	result   PrepareResult
}

func (w *preparation) run(ctx context.Context) error {
	if err := w.registerProviders(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, agent.DeadlineOperation)
	defer cancel()
	say(w.progress, "looking at the resource group")
	if err := w.group(ctx); err != nil {
		return err
	}
	say(w.progress, "looking at the security rules")
	if err := w.securityGroup(ctx); err != nil {
		return err
	}
	say(w.progress, "looking at the network")
	if err := w.virtualNetwork(ctx); err != nil {
		return err
	}
	if w.p.settings.SelfStop {
		say(w.progress, "looking at the self-deallocate role")
		w.role(ctx)
	}
	return nil
}

func (w *preparation) note(kind, name string, created bool) {
	w.result.Parts = append(w.result.Parts, Part{Kind: kind, Name: name, Created: created})
}

func (w *preparation) warn(text string) { w.result.Warnings = append(w.result.Warnings, text) }

// role is made at best effort: without it everything works but stopping by itself.
func (w *preparation) role(ctx context.Context) {
	created, err := w.s.defineRole(ctx)
	switch {
	case denied(err):
		w.warn("the login lacks " + permissionDefine + ": machines will not stop by themselves when idle; " +
			"only mngr stop ends their billing, a shutdown inside the machine does not")
	case err != nil:
		w.warn("machines will not stop by themselves when idle: " + w.p.translate(err, "define the role "+roleName).Error())
	default:
		w.note("role", roleName, created)
	}
}

// registerProviders asks for the three namespaces that hosts need, and waits.
func (w *preparation) registerProviders(ctx context.Context) error {
	say(w.progress, "checking resource providers")
	limit, cancel := context.WithTimeout(ctx, registerPatience)
	defer cancel()
	var pending []string
	for _, name := range []string{"Microsoft.Compute", "Microsoft.Network", "Microsoft.Storage"} {
		state, err := w.registration(limit, name)
		if err != nil {
			return err
		}
		if state == registered {
			continue
		}
		pending = append(pending, name)
		if state == "Registering" {
			continue
		}
		if _, err := w.s.providers.Register(limit, name, nil); err != nil {
			return w.p.translate(err, "register resource provider "+name)
		}
	}
	for _, name := range pending {
		say(w.progress, "waiting for Azure to register "+name+" (a new subscription may need 15 minutes)")
		if err := w.awaitRegistration(limit, name); err != nil {
			if ctx.Err() == nil && limit.Err() != nil {
				return agent.Errorf(agent.KindTimeout, "resource provider %s is not registered after %s", name, registerPatience).
					WithHint("az provider register --namespace %s, and later again: %s", name, w.p.prepareCommand())
			}
			return err
		}
		w.note("resource provider", name, true)
	}
	return nil
}

func (w *preparation) awaitRegistration(ctx context.Context, name string) error {
	for {
		state, err := w.registration(ctx, name)
		if err != nil || state == registered {
			return err
		}
		if err := pause(ctx, w.p.settings.PollInterval); err != nil {
			return err
		}
	}
}

const registered = "Registered"

func (w *preparation) registration(ctx context.Context, name string) (state string, err error) {
	got, err := w.s.providers.Get(ctx, name, nil)
	return text(got.RegistrationState), w.p.translate(err, "look at resource provider "+name)
}
