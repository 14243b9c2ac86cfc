package azlocal

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"mngr/internal/azlocal/activity"
	"mngr/internal/azlocal/compute"
	"mngr/internal/azlocal/fabric"
	"mngr/internal/azlocal/fault"
)

// awaitHit waits until a fault has hit.
func awaitHit(ctx context.Context, t *testing.T, hits func() int) {
	t.Helper()
	for hits() < 1 {
		select {
		case <-ctx.Done():
			t.Fatal("the fault was not hit")
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// machines is how many there are.
func (c *clients) machines() (n int) {
	c.server.world.View(func(t *fabric.Tx) { n = len(compute.Status(t)) })
	return n
}

// TestHeld lets clients go while a create of theirs waits: before its work nothing is
// done, after it everything. The log has the end of both.
func TestHeld(t *testing.T) {
	l := startLocal(t, nil)
	c, ctx := l.sdk(l.credential()), within(t)
	c.prepare(ctx)
	for point, made := range map[fault.Kind]int{fault.HoldBefore: 0, fault.HoldAfter: 1} {
		hits := c.fault(fault.Rule{On: onPut, Times: 1, Effect: point})
		before := c.machines()
		going, leave := context.WithCancel(ctx)
		asked := make(chan error, 1)
		go func() {
			_, err := c.vms.BeginCreateOrUpdate(going, "rg", "vm-"+string(point), c.machine(nil), nil)
			asked <- err
		}()
		awaitHit(ctx, t, hits)
		select {
		case err := <-asked:
			t.Fatalf("%s: answered: %v", point, err)
		default:
		}
		leave()
		if err := <-asked; !errors.Is(err, context.Canceled) {
			t.Fatalf("%s: %v", point, err)
		}
		c.awaitCut(ctx, "vm-"+string(point))
		if got := c.machines() - before; got != made {
			t.Errorf("%s: %d machines were made, want %d", point, got, made)
		}
	}
}

// awaitCut waits until the log says of a machine's create that nobody got its answer.
func (c *clients) awaitCut(ctx context.Context, name string) {
	c.t.Helper()
	for {
		all, err := activity.Read(c.inst.Path(activity.FileName), func(e activity.Entry) bool {
			return e.Operation == onPut && e.Code == "ConnectionCut" && strings.HasSuffix(e.Resource, "/"+name)
		})
		if err != nil {
			c.t.Fatal(err)
		}
		if len(all) == 1 {
			return
		}
		select {
		case <-ctx.Done():
			c.t.Fatalf("the create of %s did not end", name)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// TestLetGo removes faults under waiting clients, which then get what they asked for: of
// ARM, and of Entra, which has no operations.
func TestLetGo(t *testing.T) {
	l := startLocal(t, nil)
	c, ctx := l.sdk(l.credential()), within(t)
	c.prepare(ctx)
	for _, on := range []string{onGet, fault.EntraToken} {
		for _, point := range []fault.Kind{fault.HoldBefore, fault.HoldAfter} {
			hits := c.fault(fault.Rule{On: on, Times: 1, Effect: point})
			answered := make(chan error, 1)
			go func() {
				if on == onGet {
					_, err := c.groups.Get(ctx, "rg", nil)
					answered <- err
					return
				}
				answered <- l.askToken(ctx)
			}()
			awaitHit(ctx, t, hits)
			select {
			case err := <-answered:
				t.Fatalf("%s, %s: answered: %v", on, point, err)
			default:
			}
			if n, err := c.server.world.Faults.Clear(); n != 1 || err != nil {
				t.Fatalf("%d, %v", n, err)
			}
			if err := <-answered; err != nil {
				t.Errorf("%s, %s: %v", on, point, err)
			}
		}
	}
}

// askToken asks for a token for the instance's secret.
func (l *local) askToken(ctx context.Context) error {
	_, err := l.credential().GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{"https://management.core.windows.net//.default"}})
	return err
}

// TestHoldKept goes on holding after a restart, and lets go when removed then.
func TestHoldKept(t *testing.T) {
	path := t.TempDir() + "/faults.json"
	first := fault.NewBook(time.Now)
	if err := first.Keep(path); err != nil {
		t.Fatal(err)
	}
	rule, err := first.Add(fault.Rule{On: onGet, Effect: fault.HoldBefore})
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		book := fault.NewBook(time.Now)
		if err := book.Keep(path); err != nil {
			t.Fatal(err)
		}
		hit := book.Take(fault.Call{Operation: onGet})
		held := make(chan error, 1)
		go func() { held <- hit.Hold(t.Context(), fault.HoldBefore) }()
		synctest.Wait()
		if len(held) > 0 {
			t.Fatal("it did not wait")
		}
		if hit.Hold(t.Context(), fault.HoldAfter) != nil {
			t.Error("it waits at the other point too")
		}
		if known, err := book.Remove(rule.ID); !known || err != nil {
			t.Fatal(known, err)
		}
		if err := <-held; err != nil {
			t.Error(err)
		}
	})
}
