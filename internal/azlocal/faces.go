package azlocal

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"mngr/internal/azlocal/instance"
)

// Azure's own names, for clients that know no others.
const (
	azureARM   = "management.azure.com"
	azureLogin = "login.microsoftonline.com"
)

// facesFlags are addresses and names beyond 127.0.0.1. Those given replace those before;
// an empty one removes them.
type facesFlags struct {
	listen, names []string
	elsewhere     bool
}

func (f *facesFlags) register(cmd *cobra.Command) {
	cmd.Flags().StringSliceVar(&f.listen, "listen", nil, "serve at ADDRESS[:PORT] too (port: 443); --listen= ends it")
	cmd.Flags().StringSliceVar(&f.names, "name", nil, "have the certificate vouch for NAME too, such as "+azureARM+"; --name= ends it")
	cmd.Flags().BoolVar(&f.elsewhere, "reachable-from-elsewhere", false, "allow --listen with an address that other computers reach")
}

// apply takes the flags over into the instance.
func (f *facesFlags) apply(inst *instance.Instance) error {
	if f.listen != nil {
		inst.Faces.Listen = nil
		for _, text := range given(f.listen) {
			at, err := f.parse(text)
			if err != nil {
				return err
			}
			if own := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(inst.Port)); at != own && !slices.Contains(inst.Faces.Listen, at) { //nolint:gosec // a port has 16 bits
				inst.Faces.Listen = append(inst.Faces.Listen, at)
			}
		}
	}
	if f.names != nil {
		inst.Faces.Names = nil
		for _, text := range given(f.names) {
			name, err := instance.ParseName(text)
			if err != nil {
				return &Problem{Cause: err.Error(), Remedy: "names are such as " + azureARM + ", and for addresses there is --listen", Err: err, Misuse: true}
			}
			if !slices.Contains(inst.Faces.Names, name) {
				inst.Faces.Names = append(inst.Faces.Names, name)
			}
		}
	}
	if len(inst.Faces.Names) > 0 && len(inst.Faces.Listen) == 0 && f.names != nil {
		return &Problem{Cause: "names without an address at which they are served", Remedy: "add --listen 127.0.0.1:443", Misuse: true}
	}
	return nil
}

func (f *facesFlags) parse(text string) (netip.AddrPort, error) {
	at, err := instance.ParseListen(text)
	switch {
	case errors.Is(err, instance.ErrElsewhere) && f.elsewhere:
		return at, nil
	case errors.Is(err, instance.ErrElsewhere):
		return at, &Problem{Err: err, Misuse: true,
			Cause:  fmt.Sprintf("%v; who has a secret of this instance starts machines on this computer, as root", err),
			Remedy: "listen on a loopback address, or add --reachable-from-elsewhere if you mean it"}
	case err != nil:
		return at, &Problem{Cause: err.Error(), Remedy: "mngr azure local up --help", Err: err, Misuse: true}
	}
	return at, nil
}

// given leaves out what stands for nothing.
func given(values []string) []string {
	return slices.DeleteFunc(slices.Clone(values), func(s string) bool { return s == "" })
}

// tellFaces tells how clients that know Azure's names alone come here.
func tellFaces(w io.Writer, inst *instance.Instance, renewed bool) {
	for _, at := range inst.Faces.Listen {
		fmt.Fprintf(w, "it listens at %s too\n", at)
	}
	if lines := inst.Faces.Hosts(); len(lines) > 0 {
		fmt.Fprintf(w, "for clients that know no other names, in the hosts file (see `mngr azure local env --public`):\n  %s\n", strings.Join(lines, "\n  "))
	}
	if renewed {
		fmt.Fprintf(w, "%s was made anew, for it vouches for these names alone; copies of the earlier one are good for loopback only\n", inst.Path("ca.pem"))
	}
}

// loginAt tells where a client logs in that has come to a host: at Azure's own name for
// logins where it came by Azure's own name for management and both lead here.
func loginAt(faces instance.Faces) func(host string) string {
	return func(host string) string {
		name, port, err := net.SplitHostPort(host)
		if err != nil {
			name, port = host, ""
		}
		if !strings.EqualFold(name, azureARM) || !slices.Contains(faces.Names, azureLogin) {
			return "https://" + host
		}
		if port == "" {
			return "https://" + azureLogin
		}
		return "https://" + net.JoinHostPort(azureLogin, port)
	}
}
