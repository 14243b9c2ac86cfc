package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"mngr/internal/agent"
	"mngr/internal/config"
)

// ownAddress is the source that stands for the user's own public address.
const ownAddress = "me"

// mostOwnAddress is in bytes; an address has at most 15.
const mostOwnAddress = 256

// withOwnAddress replaces "me" among sources. Nobody is asked unless it is there.
func (a *App) withOwnAddress(ctx context.Context, sources []string, p config.Provider) ([]string, error) {
	i := slices.Index(sources, ownAddress)
	if i < 0 {
		return sources, nil
	}
	address, err := askOwnAddress(ctx, http.DefaultTransport, p.MyAddressURL, p.Cloud == "local")
	if errors.Is(err, context.Canceled) {
		return nil, err
	}
	if err != nil {
		return nil, &agent.Error{Kind: agent.KindOf(err), Err: err,
			Cause: fmt.Sprintf("cannot find out your public address: %s says: %v", p.MyAddressURL, err),
			Hint:  "mngr config set providers." + p.Name + ".my_address_url URL # or give it as --allowed-ssh-cidr ADDRESS/32"}
	}
	a.printer().Note("your public address is %s, says %s", address, p.MyAddressURL)
	out := slices.Clone(sources)
	for i := range out {
		if out[i] == ownAddress {
			out[i] = address.String() + "/32"
		}
	}
	return out, nil
}

// askOwnAddress asks a web server for the address that it sees. Towards the local Azure,
// loopback plays the Internet; elsewhere an address that is not public would lock the
// user out.
func askOwnAddress(ctx context.Context, transport http.RoundTripper, url string, local bool) (netip.Addr, error) {
	ctx, done := agent.Within(ctx, agent.DeadlineOwnAddress, "asking for this machine's own address")
	defer done(nil)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return netip.Addr{}, err
	}
	resp, err := (&http.Client{Transport: transport}).Do(req)
	switch {
	case errors.Is(err, context.Canceled):
		return netip.Addr{}, context.Canceled
	case errors.Is(err, context.DeadlineExceeded):
		return netip.Addr{}, agent.Errorf(agent.KindTimeout, "no answer within %s", agent.DeadlineOwnAddress)
	case err != nil:
		return netip.Addr{}, agent.Errorf(agent.KindUnreachable, "no answer: %w", errors.Unwrap(err))
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, mostOwnAddress))
	if err != nil {
		return netip.Addr{}, agent.Errorf(agent.KindUnreachable, "half an answer: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return netip.Addr{}, agent.Errorf(agent.KindUnreachable, "status %s", resp.Status)
	}
	return checkOwnAddress(strings.TrimSpace(string(body)), local)
}

func checkOwnAddress(answer string, local bool) (netip.Addr, error) {
	a, err := netip.ParseAddr(answer)
	switch {
	case err != nil:
		return a, agent.Errorf(agent.KindUnreachable, "%.40q, which is no address", answer)
	case !a.Is4():
		return a, agent.Errorf(agent.KindRefused, "%s, which is IPv6, and hosts have IPv4 addresses", a)
	case a.IsLoopback() && local:
		return a, nil
	case !a.IsGlobalUnicast() || a.IsPrivate():
		return a, agent.Errorf(agent.KindRefused, "%s, which is no public address", a)
	}
	return a, nil
}
