package azlocal

import (
	"context"
	"log/slog"
	"net"
	"net/netip"

	"mngr/internal/azlocal/instance"
	"mngr/internal/azlocal/machine"
)

// sweep removes what the machines of an instance left on this computer when no daemon
// runs that could do it.
func sweep(ctx context.Context, inst *instance.Instance) error {
	cfg := DriverConfig{Dir: inst.Dir, ID: inst.ID, Public: inst.Public, Log: slog.New(slog.DiscardHandler)}
	driver, err := newDriver(inst.Driver)(cfg, closed{})
	if err != nil {
		return &Problem{Cause: "what machines left behind cannot be removed: " + err.Error(), Remedy: "mngr azure local reset # once that is mended", Err: err}
	}
	return driver.Close(ctx, true)
}

// closed are the services of a local Azure that does not run: every listener is closed.
type closed struct{}

func (closed) ServeIMDS(_ string, l net.Listener) { l.Close() }
func (closed) ServeARM(l net.Listener)            { l.Close() }
func (closed) ARMAddress() netip.AddrPort         { return netip.AddrPort{} }
func (closed) PoweredOff(string)                  {}
func (closed) Connected(string, uint16, func()) machine.Line {
	return machine.Open{}
}
