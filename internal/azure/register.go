package azure

import (
	"context"
	"errors"

	"mngr/internal/agent"
)

const (
	namespaceNetwork = "Microsoft.Network"
	registered       = "Registered"
	registering      = "Registering"
)

// namespaces are the resource providers that hosts need; disks are Storage's.
var namespaces = []string{"Microsoft.Compute", namespaceNetwork, "Microsoft.Storage"}

const kindNamespace = "resource provider"

func (w *preparation) planProviders(found survey) {
	for _, name := range namespaces {
		switch found.registration[name] {
		case registered, "":
			w.keep(kindNamespace, name)
		default:
			w.unregistered = append(w.unregistered, name)
			w.result.Parts = append(w.result.Parts, Part{Kind: kindNamespace, Name: name, Action: Register})
		}
	}
}

// registerProviders asks for all at once and waits: they take their minutes side by side.
func (w *preparation) registerProviders(ctx context.Context) error {
	limit, done := agent.Within(ctx, w.p.register, "registering resource providers") // Microsoft.Network has been seen to need a quarter of an hour
	defer done(nil)
	for _, name := range w.unregistered {
		say(w.progress, "register resource provider "+name)
		if err := w.register(limit, name); err != nil {
			return err
		}
	}
	for _, name := range w.unregistered {
		say(w.progress, "waiting for Azure to register "+name+" (a new subscription may need 15 minutes)")
		err := w.awaitRegistration(limit, name)
		if errors.Is(limit.Err(), context.DeadlineExceeded) && ctx.Err() == nil {
			return agent.Errorf(agent.KindTimeout, "resource provider %s is not registered after %s", name, w.p.register).
				WithHint("%s # az provider show --namespace %s shows how far it is; then again: %s",
					w.registerCommand(name), name, w.p.prepareCommand())
		}
		if err != nil {
			return err
		}
		w.done = append(w.done, Part{Kind: kindNamespace, Name: name, Action: Register})
	}
	return nil
}

func (w *preparation) registerCommand(name string) string {
	return "az provider register --namespace " + name + " --subscription " + w.s.subscription
}

// register asks for one. Asking twice is harmless, so that its state need not be known.
func (w *preparation) register(ctx context.Context, name string) error {
	_, err := w.s.providers.Register(ctx, name, nil)
	if denied(err) {
		return &agent.Error{Kind: agent.KindDenied, Err: err,
			Cause: "resource provider " + name + " is not registered in the subscription, and the login lacks the permission " + name + "/register/action",
			Hint:  w.registerCommand(name) + " # a Contributor of the subscription does it once"}
	}
	return w.p.translate(err, "register resource provider "+name)
}

func (w *preparation) awaitRegistration(ctx context.Context, name string) error {
	for {
		got, err := w.s.providers.Get(ctx, name, nil)
		if err != nil || text(got.RegistrationState) == registered {
			return w.p.translate(err, "look at resource provider "+name)
		}
		if err := pause(ctx, w.p.settings.PollInterval); err != nil {
			return w.p.translate(err, "wait for resource provider "+name)
		}
	}
}
