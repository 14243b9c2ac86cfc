package azlocal

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"

	"mngr/internal/azlocal/compute"
	"mngr/internal/azlocal/control"
	"mngr/internal/azlocal/fabric"
	"mngr/internal/azlocal/instance"
	"mngr/internal/azlocal/machine"
)

// Status is what the daemon tells over its socket, and `status` prints.
type Status struct {
	instance.Client
	StateDir   string             `json:"state_dir"`
	DriverNote string             `json:"driver_note"` // why the driver was chosen, and how its machines run
	Running    bool               `json:"running"`
	Ready      bool               `json:"ready"`
	PID        int                `json:"pid"`             // 0: it does not run
	Phase      string             `json:"phase,omitempty"` // until it is ready
	Failure    string             `json:"failure,omitempty"`
	Profile    string             `json:"profile"`
	Switches   map[string]string  `json:"switches"`
	Settings   []fabric.Setting   `json:"settings"`
	Faults     faultSummary       `json:"faults"`
	VMs        []compute.VMStatus `json:"vms"`
	Billed     []compute.Charge   `json:"billed"`
	Cost       cost               `json:"cost"`
}

// faultSummary tells whether something is still to go wrong.
type faultSummary struct {
	Added  int `json:"added"`
	Active int `json:"active"`    // can still hit
	Unhit  int `json:"never_hit"` // have not hit yet
	Hits   int `json:"hits"`
}

// cost is what all that is billed costs on Azure.
type cost struct {
	PerHour float64 `json:"usd_per_hour"`         // now, of what has a known price
	Unknown int     `json:"unknown_prices"`       // things billed now whose price is not known
	SoFar   float64 `json:"usd_so_far"`           // since the instance was made
	Hours   float64 `json:"unknown_hours_so_far"` // billed without a known price: on top
}

// stopRequest asks the daemon to end. All removes every trace of the machines.
type stopRequest struct {
	All bool `json:"all"`
}

// daemon is the process behind `up`.
type daemon struct {
	inst      *instance.Instance
	newDriver func(DriverConfig, machine.Services) (machine.Driver, error)
	log       *slog.Logger
	stop      chan stopRequest
	claim     net.Listener // holds the public addresses until this process ends

	mu     sync.Mutex
	phase  string
	failed string
	server *Server // nil until it is ready
	about  string  // how the driver's machines run, if there is anything to tell
}

// run serves until it is told to stop, or ctx ends.
func (d *daemon) run(ctx context.Context) error {
	socket, err := control.Listen(d.inst.Dir)
	if err != nil {
		return err
	}
	line := &http.Server{Handler: d.controls(), ReadHeaderTimeout: 5 * time.Second}
	var serving sync.WaitGroup
	serving.Go(func() { _ = line.Serve(socket) }) // ends with line.Close
	defer serving.Wait()
	defer line.Close()

	server, driver, err := d.begin(ctx)
	if d.claim != nil {
		defer d.claim.Close()
	}
	if err != nil {
		d.fail(err)
		d.log.Error("the local Azure did not start", "cause", err)
		d.linger(ctx)
		return err
	}
	d.mu.Lock()
	d.server, d.phase = server, ""
	if teller, ok := driver.(interface{ About() string }); ok {
		d.about = teller.About()
	}
	d.mu.Unlock()
	d.log.Info("ready", "endpoint", d.inst.Endpoint(), "driver", driver.Name(), "about", d.about)

	var request stopRequest
	select {
	case request = <-d.stop:
	case <-ctx.Done():
	}
	return d.end(server, driver, request)
}

// linger keeps the socket up until `up` has read why the start failed.
func (d *daemon) linger(ctx context.Context) {
	select {
	case <-d.stop:
	case <-ctx.Done():
	case <-time.After(10 * time.Second):
	}
}

func (d *daemon) begin(ctx context.Context) (*Server, machine.Driver, error) {
	d.enter("opening the state")
	claim, err := vacated(ctx, func() (net.Listener, error) { return instance.Claim(d.inst.Public) })
	if err != nil {
		return nil, nil, fmt.Errorf("another local Azure of this computer, or something else, has the addresses of this one: %w", err)
	}
	d.claim = claim
	server, err := newServer(d.inst, d.log)
	if err != nil {
		return nil, nil, err
	}
	driver, err := d.newDriver(DriverConfig{Dir: d.inst.Dir, ID: d.inst.ID, Public: d.inst.Public, Log: d.log}, server)
	if err == nil {
		err = driver.Prepare(ctx, d.enter)
	}
	var listeners []net.Listener
	if err == nil {
		d.enter("starting the server")
		listeners, err = d.listen(ctx, server)
	}
	if err == nil {
		err = server.start(ctx, driver, d.mustBoot())
	}
	if err == nil {
		err = d.inst.WriteClient()
	}
	if err != nil {
		for _, l := range listeners {
			l.Close()
		}
		return nil, nil, errors.Join(err, server.close())
	}
	for _, l := range listeners {
		server.ServeARM(l)
	}
	return server, driver, nil
}

// vacated listens where a daemon that was killed may not have gone yet: the kernel gives its
// files back one by one, the lock by which it counted as running before its sockets.
func vacated(ctx context.Context, listen func() (net.Listener, error)) (net.Listener, error) {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	for {
		l, err := listen()
		if !errors.Is(err, syscall.EADDRINUSE) {
			return l, err
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// listen opens the instance's own address and those it was given.
func (d *daemon) listen(ctx context.Context, server *Server) ([]net.Listener, error) {
	var out []net.Listener
	for _, at := range append([]netip.AddrPort{server.ARMAddress()}, d.inst.Faces.Listen...) {
		l, err := vacated(ctx, func() (net.Listener, error) { return net.Listen("tcp", at.String()) })
		if err != nil {
			return out, fmt.Errorf("serve at %s: %w", at, err)
		}
		out = append(out, l)
	}
	return out, nil
}

// end stops what runs. Machines are stopped, not forgotten: the next start boots them.
func (d *daemon) end(server *Server, driver machine.Driver, request stopRequest) error {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	d.enter("stopping machines")
	var all []error
	if !request.All {
		all = append(all, d.noteBoot(true), server.compute.StopAll(ctx))
	}
	d.enter("closing")
	d.mu.Lock()
	d.server = nil
	d.mu.Unlock()
	all = append(all, server.close(), driver.Close(ctx, request.All))
	err := errors.Join(all...)
	if err != nil {
		d.log.Error("the end was not clean", "cause", err)
	}
	return err
}

// boot is what tells, at the next start, why a machine that should run is off.
type boot struct {
	ID      string `json:"boot_id"` // of the computer
	Stopped bool   `json:"stopped"` // by the daemon's own end
}

// mustBoot tells whether machines that ran were stopped by us or by the computer's reboot,
// and notes the present boot.
func (d *daemon) mustBoot() bool {
	var last boot
	data, err := os.ReadFile(d.inst.Path("boot.json"))
	if err == nil {
		err = json.Unmarshal(data, &last)
	}
	if noted := d.noteBoot(false); noted != nil {
		d.log.Warn("the boot was not noted", "cause", noted)
	}
	return err == nil && (last.Stopped || last.ID != bootID())
}

func (d *daemon) noteBoot(stopped bool) error {
	data, err := json.Marshal(boot{ID: bootID(), Stopped: stopped})
	if err != nil {
		return fmt.Errorf("note the boot: %w", err)
	}
	if err := os.WriteFile(d.inst.Path("boot.json"), data, 0o600); err != nil {
		return fmt.Errorf("note the boot: %w", err)
	}
	return nil
}

// bootID names the run of the computer's kernel; "" where there is none to read.
func bootID() string {
	data, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return string(bytes.TrimSpace(data))
}

func (d *daemon) enter(phase string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.phase = phase
	d.log.Info(phase)
}

func (d *daemon) fail(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.failed = err.Error()
}
