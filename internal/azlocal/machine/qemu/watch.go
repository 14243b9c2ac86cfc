package qemu

import (
	"context"
	"sync"

	"mngr/internal/azlocal/machine/process"
)

// Watch follows the processes of machines that run already, and from then on those that
// Boot starts.
func (h *hypervisor) Watch(ctx context.Context, ended func(key string)) {
	var following sync.WaitGroup
	defer following.Wait()
	follow := func(p *process.Process) {
		following.Go(func() {
			defer p.Close()
			if key, ok := h.key(objectOf(p.Args)); ok && p.Wait(ctx) == nil {
				ended(key)
			}
		})
	}
	h.setFollow(follow)
	defer h.setFollow(nil)
	machines := h.object(roleMachine, "")
	running, err := process.Find(func(args []string) bool {
		name := objectOf(args)
		return len(name) > len(machines) && name[:len(machines)] == machines
	})
	if err != nil {
		h.Log.Error("watch over the machines that run", "err", err)
	}
	for _, p := range running {
		follow(p)
	}
	<-ctx.Done()
}

func (h *hypervisor) setFollow(follow func(*process.Process)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.follow = follow
}

// watchOver follows a machine that has just been started.
func (h *hypervisor) watchOver(key string) error {
	p, err := h.running(key)
	if err != nil {
		return err
	}
	if p == nil {
		return errEndedAtOnce
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.follow == nil {
		return p.Close()
	}
	h.follow(p)
	return nil
}
