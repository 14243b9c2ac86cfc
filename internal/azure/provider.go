package azure

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"mngr/internal/agent"
)

// Provider is one provider instance: the machines of one resource group. It is safe for
// concurrent use. Nothing is read, dialled or logged in to before the first method that
// needs it.
type Provider struct {
	settings Settings
	retry    policy.RetryOptions
	logins   *Logins
	register agent.Deadline // patience with a new subscription

	mu      sync.Mutex
	current *session                        // nil until first needed
	subnets map[string]string               // prefix of a region's subnet, once seen
	sizes   map[string]map[string]sizeFacts // of a region, once seen

	pricing sync.Mutex
	learned *priceCache // what was answered, also where no file could keep it; nil until first needed
}

// New checks the settings and returns their provider. It does no I/O.
func New(s Settings) (*Provider, error) {
	if err := s.validate(); err != nil {
		return nil, err
	}
	if s.PollInterval == 0 {
		s.PollInterval = 2 * time.Second
	}
	logins := s.Logins
	if logins == nil {
		logins = NewLogins("")
	}
	return &Provider{
		settings: s, logins: logins, retry: policy.RetryOptions{TryTimeout: time.Duration(agent.DeadlineTry)}, register: agent.DeadlineRegister,
		subnets: map[string]string{}, sizes: map[string]map[string]sizeFacts{},
	}, nil
}

// Name is the instance's name, the value of the tag mngr-provider.
func (p *Provider) Name() string { return p.settings.Name }

// session returns the login and its clients, made at the first call that succeeds.
func (p *Provider) session(ctx context.Context) (*session, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.current != nil {
		return p.current, nil
	}
	at, err := p.settings.place()
	if err != nil {
		return nil, err
	}
	if at.local != nil {
		if err := at.local.reachable(ctx); err != nil {
			return nil, err
		}
	}
	subscription, err := p.settings.subscription(ctx, at)
	if err != nil {
		return nil, p.orWithout(err)
	}
	token, err := p.login(ctx, at)
	if err != nil {
		return nil, err
	}
	var log *audit
	if p.settings.Journal != nil {
		log = &audit{journal: p.settings.Journal, provider: p.settings.Name, subscription: subscription}
	}
	s, err := newSession(at, subscription, token, p.retry, log)
	if err != nil {
		return nil, err
	}
	p.current = s
	return s, nil
}

// login asks for a token before anything else is asked, so that a login that fails is
// said as such, once, and not as the failure of whatever came first.
func (p *Provider) login(ctx context.Context, at *place) (*tokenSource, error) {
	token := p.logins.source(at)
	_, err := token.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{at.scope()}, EnableCAE: true})
	if err == nil {
		return token, nil
	}
	if err = translate(err, "log in to Azure"); at.local != nil {
		return nil, err
	}
	return nil, p.orWithout(err)
}

// orWithout adds to the remedy of a missing login what somebody does who wants none.
func (p *Provider) orWithout(err error) error {
	if e, ok := errors.AsType[*agent.Error](err); ok && e.Kind == agent.KindCredentials {
		e.Hint = agent.Explain(e.Hint, "to do without it: mngr config set providers."+p.settings.Name+".is_enabled false")
	}
	return err
}

// ControlPlane tells what a machine in region must know to reach ARM from inside.
func (p *Provider) ControlPlane(ctx context.Context, region string) (agent.ControlPlane, error) {
	s, err := p.session(ctx)
	if err != nil {
		return agent.ControlPlane{}, err
	}
	prefix, err := p.subnetPrefix(ctx, s, p.settings.network(region))
	if err != nil {
		return agent.ControlPlane{}, err
	}
	arm := s.place.arm()
	return agent.ControlPlane{
		Endpoint:     trimSlash(arm.Endpoint),
		Audience:     arm.Audience,
		CACert:       s.place.ca,
		SubnetPrefix: prefix,
		SelfStop:     p.settings.SelfStop,
	}, nil
}
