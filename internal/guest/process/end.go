package process

import (
	"context"
	"fmt"
	"syscall"
	"time"
)

const (
	pollEvery = 25 * time.Millisecond
	killGrace = 2 * time.Second // SIGKILL works at once, except in the middle of I/O
)

// End sends first to the processes that find returns, waits until find returns none, and
// after the grace sends SIGKILL until none is left. find is asked again and again, so that
// what they start meanwhile ends too.
func End(ctx context.Context, grace time.Duration, find func() ([]int, error), first ...syscall.Signal) error {
	pids, err := find()
	if err != nil {
		return err
	}
	for _, pid := range pids {
		for _, sig := range first {
			syscall.Kill(pid, sig)
		}
		syscall.Kill(pid, syscall.SIGCONT) // a stopped process takes no other signal
	}
	if left, err := await(ctx, grace, find, nil); err != nil || len(left) == 0 {
		return err
	}
	left, err := await(ctx, killGrace, find, func(pid int) { syscall.Kill(pid, syscall.SIGKILL) })
	if err == nil && len(left) > 0 {
		err = fmt.Errorf("processes %v do not end", left)
	}
	return err
}

// await polls find until it is empty or the time is over, and returns what is left.
func await(ctx context.Context, limit time.Duration, find func() ([]int, error), each func(pid int)) ([]int, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		pids, err := find()
		if err != nil || len(pids) == 0 {
			return nil, err
		}
		for _, pid := range pids {
			if each != nil {
				each(pid)
			}
		}
		select {
		case <-ctx.Done():
			return pids, nil
		case <-tick.C:
		}
	}
}
