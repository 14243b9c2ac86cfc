package azlocal

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"mngr/internal/azlocal/activity"
	"mngr/internal/azlocal/arm"
	"mngr/internal/azlocal/bill"
	"mngr/internal/azlocal/compute"
	"mngr/internal/azlocal/entra"
	"mngr/internal/azlocal/fabric"
	"mngr/internal/azlocal/fault"
	"mngr/internal/azlocal/front"
	"mngr/internal/azlocal/graph"
	"mngr/internal/azlocal/imds"
	"mngr/internal/azlocal/insights"
	"mngr/internal/azlocal/instance"
	"mngr/internal/azlocal/machine"
	"mngr/internal/azlocal/network"
	"mngr/internal/azlocal/rbac"
	"mngr/internal/azlocal/resources"
	"mngr/internal/azlocal/store"
	"mngr/internal/azlocal/throttle"
)

// Server is a local Azure in this process.
type Server struct {
	inst     *instance.Instance
	world    *fabric.World
	compute  *compute.Provider
	handler  *front.Handler
	issuer   *entra.Issuer
	tls      *tls.Config
	log      *slog.Logger
	activity *activity.Log
	books    *bill.Ledger
	names    sync.Map // of principals, by object id
	apps     *entra.Directory
	meter    *throttle.Meter

	principals sync.Mutex // held while principals change

	mu      sync.Mutex
	closing bool
	servers []*http.Server
	serving sync.WaitGroup
}

// newServer opens the state of an instance. The driver is set before anything is served.
func newServer(inst *instance.Instance, log *slog.Logger) (*Server, error) {
	keys, err := inst.Keys(time.Now())
	if err != nil {
		return nil, err
	}
	switches, err := fabric.NewSwitches(inst.Switches)
	if err != nil {
		return nil, err
	}
	settings, err := newSettings(inst)
	if err != nil {
		return nil, err
	}
	st, err := store.Open(inst.Path("store.log"))
	if err != nil {
		return nil, err
	}
	faults := fault.NewBook(time.Now)
	if err := faults.Keep(inst.Path(fault.FileName)); err != nil {
		return nil, errors.Join(err, st.Close())
	}
	s := &Server{inst: inst, log: log, tls: keys.TLS, books: bill.NewLedger(time.Now), apps: &entra.Directory{}}
	s.issuer = &entra.Issuer{Key: keys.Tokens, Tenant: inst.Tenant, Now: time.Now, Apps: s.apps}
	s.world, err = fabric.New(fabric.Config{Subscription: inst.Subscription, Tenant: inst.Tenant, Public: inst.Public,
		Switches: switches, Settings: settings, Faults: faults, Act: s.act, Ledger: s.books, Ended: s.recordEnd, Log: log, Now: time.Now}, st)
	if err != nil {
		return nil, errors.Join(err, st.Close())
	}
	s.activity, err = activity.Open(inst.Path(activity.FileName), activity.Limit)
	if err != nil {
		return nil, errors.Join(err, s.world.Close())
	}
	s.meter = &throttle.Meter{Scale: settings.Scale, Now: time.Now}
	s.names.Store(inst.ObjectID, ownerName)
	s.wire()
	if err := s.loginAll(); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

// wire connects the resource providers with the world and the front door.
func (s *Server) wire() {
	s.compute = &compute.Provider{Record: s.record}
	net := &network.Provider{RulesChanged: s.compute.RulesChanged}
	s.world.Register(rbac.Kinds()...)
	resources.Register(s.world)
	net.Register(s.world)
	s.compute.Register(s.world)

	s.handler = &front.Handler{World: s.world, Log: s.log, Record: s.record, Meter: s.meter, Entra: &entra.Handler{Issuer: s.issuer, Apps: s.apps, Faults: s.world.Faults, Record: s.record,
		Lifetime: func() time.Duration { return s.world.Settings.Time(fabric.TokenLifetime) }}}
	s.handler.Graph = &graph.Handler{World: s.world, Issuer: s.issuer, Record: s.record}
	s.handler.Login = loginAt(s.inst.Faces)
	s.handler.Add(resources.Routes()...)
	s.handler.Add((&rbac.Provider{Directory: s.apps}).Routes()...)
	s.handler.Add(fabric.Routes()...)
	s.handler.Add(net.Routes()...)
	s.handler.Add(s.compute.Routes()...)
	s.handler.Add(insights.Provider{Path: s.inst.Path(activity.FileName)}.Routes()...)
}

// start brings machines and state together and takes up interrupted operations. restart
// tells that the machines that ran have to be booted again.
func (s *Server) start(ctx context.Context, driver machine.Driver, restart bool) error {
	s.compute.Driver = driver
	if err := s.world.Index(); err != nil {
		return err
	}
	err := s.world.Update(func(t *fabric.Tx) error {
		s.books.Reconcile(t)
		rbac.Grant(t, arm.Principal{ObjectID: s.inst.ObjectID}, rbac.Owner, "/subscriptions/"+s.inst.Subscription)
		return nil
	})
	if err != nil {
		return err
	}
	if err := s.compute.Recover(ctx, restart); err != nil {
		s.log.Error("not every machine was recovered", "cause", err)
	}
	s.nameMachines()
	s.world.Resume()
	s.compute.ResumeEvictions()
	return nil
}

// ServeIMDS implements machine.Services.
func (s *Server) ServeIMDS(key string, l net.Listener) {
	s.serve(l, &imds.Handler{World: s.world, Issuer: s.issuer, Compute: s.compute, Key: key, Record: s.record, Meter: s.meter})
}

// ServeARM implements machine.Services.
func (s *Server) ServeARM(l net.Listener) { s.serve(tls.NewListener(l, s.tls), s.handler) }

// ARMAddress implements machine.Services.
func (s *Server) ARMAddress() netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(s.inst.Port)) //nolint:gosec // a port has 16 bits
}

// PoweredOff implements machine.Services.
func (s *Server) PoweredOff(key string) {
	if err := s.compute.PoweredOff(key); err != nil {
		s.log.Error("a machine that is off was not noted", "machine", key, "cause", err)
	}
}

func (s *Server) serve(l net.Listener, h http.Handler) {
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute,
		ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug)}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		l.Close()
		return
	}
	s.servers = append(s.servers, server)
	s.serving.Go(func() {
		if err := server.Serve(l); err != nil && !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
			s.log.Warn("a listener ended", "address", l.Addr().String(), "cause", err)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		for i, other := range s.servers {
			if other == server {
				s.servers = append(s.servers[:i], s.servers[i+1:]...)
				return
			}
		}
	})
}

// ownerName is what the log calls the instance's own service principal.
const ownerName = "owner"

func (s *Server) record(e activity.Entry) {
	if e.Name != "" {
		s.names.Store(e.Principal, e.Name)
	} else if name, ok := s.names.Load(e.Principal); ok {
		e.Name = name.(string)
	}
	if err := s.activity.Add(e); err != nil {
		s.log.Error("the activity log was not written", "cause", err)
	}
}

// close ends listeners, operations and the store. It does not touch the driver.
func (s *Server) close() error {
	s.mu.Lock()
	s.closing = true
	servers := append([]*http.Server{}, s.servers...)
	s.mu.Unlock()
	var all []error
	for _, server := range servers {
		all = append(all, server.Close())
	}
	s.serving.Wait()
	all = append(all, s.world.Close(), s.activity.Close())
	return errors.Join(all...)
}
