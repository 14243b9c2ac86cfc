package vm

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"mngr/internal/agent"
	"mngr/internal/hostsetup"
	"mngr/internal/plain"
)

const (
	minPause = time.Second
	maxPause = time.Minute
	// stable is how long the container must have run for a new crash to count as the first.
	stable = 2 * time.Minute
	// stoppedPoll is how often a stopped host looks whether it may run again.
	stoppedPoll = time.Second
	// stoppedPatience is how long a stopped host waits to be deallocated by whoever stopped
	// it. Then that one is gone, and the machine does it itself.
	stoppedPatience = 5 * time.Minute
)

// supervise keeps the container running until ctx ends, then stops it. After a crash of the
// container, or while the engine is down, it tries again after a pause that doubles.
func (h *host) supervise(ctx context.Context, log io.Writer) error {
	if err := os.MkdirAll(h.run, 0o755); err != nil {
		return err
	}
	h.keepStopReason()
	h.removeAbandonedBuild(ctx)
	beside, cancel := context.WithCancel(ctx)
	var watches sync.WaitGroup
	watches.Go(func() { h.watchContainer(beside, log) })
	watches.Go(func() { h.tellMachine(beside, log) })
	watches.Go(func() { h.watchEvents(beside, log) })
	defer watches.Wait()
	defer cancel()
	// The container must end orderly although ctx has ended.
	defer func() {
		if err := h.stopContainer(context.WithoutCancel(ctx), hostsetup.StopTimeout*time.Second); err != nil {
			fmt.Fprintln(log, "stop the container:", err)
		}
	}()
	for pause := minPause; ctx.Err() == nil; pause = min(2*pause, maxPause) {
		if !h.mayRun(ctx, log) {
			continue
		}
		began := time.Now()
		err := h.runOnce(ctx, log)
		if ctx.Err() != nil || h.stopped() {
			continue
		}
		if time.Since(began) > stable {
			pause = minPause
		}
		fmt.Fprintf(log, "the container is down (%v); starting it again in %s\n", err, pause)
		wait(ctx, pause)
	}
	return nil
}

// mayRun waits while the container is to stay stopped; false when ctx has ended.
func (h *host) mayRun(ctx context.Context, log io.Writer) bool {
	since, asked := time.Now(), false
	for h.stopped() && ctx.Err() == nil {
		if !asked && time.Since(since) > h.patience {
			asked = true
			h.want(ctx, h.stopCause(), log)
		}
		wait(ctx, stoppedPoll)
	}
	return ctx.Err() == nil
}

// stopped tells whether OpHostStop came since the boot.
func (h *host) stopped() bool {
	_, err := os.Stat(h.inRun(hostsetup.FileStopped))
	return err == nil
}

// runOnce starts the container, which it makes if somebody has removed it, and returns when
// the container, or the engine, has ended.
func (h *host) runOnce(ctx context.Context, log io.Writer) error {
	_, err := docker(ctx, "start", h.container)
	if absent(err) {
		if err = h.remake(ctx, log); err == nil {
			_, err = docker(ctx, "start", h.container)
		}
	}
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	reported := make(chan struct{})
	go func() {
		defer close(reported)
		h.report(ctx)
	}()
	code, err := docker(ctx, "wait", h.container)
	cancel()
	<-reported
	if err != nil {
		return err
	}
	return fmt.Errorf("it ended with code %s", plain.Line(code, 10))
}

// remake makes the container again as the last setup made it. What agents keep is in the
// volume, and the host key on the machine.
func (h *host) remake(ctx context.Context, log io.Writer) (err error) {
	unlock, err := lock(ctx, h.inRun(setupLock))
	if err != nil {
		return err
	}
	defer unlock()
	known, err := h.readRecord()
	if err != nil {
		return err
	}
	if known == nil {
		return errors.New("there is no container and this host was never set up")
	}
	ctx, done := agent.Within(ctx, agent.DeadlineContainer, "making the container again")
	defer done(&err)
	phase := func(text string) { fmt.Fprintln(log, "the container was removed:", text) }
	_, err = h.makeContainer(ctx, known.Setup, phase)
	return err
}

// report tells the dead-man timer that the container serves.
func (h *host) report(ctx context.Context) {
	record, err := h.readRecord()
	if err != nil || record == nil {
		return
	}
	if waitSSH(ctx, record.Setup.SSHPort) == nil {
		_ = writeFile(h.inRun(hostsetup.FileReported), nil, 0o644)
		h.unwant(hostsetup.CauseDeadMan)
	}
}

// stopContainer ends the agents and the container, which is killed after grace. No container
// is fine.
func (h *host) stopContainer(ctx context.Context, grace time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, grace+30*time.Second)
	defer cancel()
	_, err := docker(ctx, "stop", "-t", fmt.Sprint(int(grace.Seconds())), h.container)
	if absent(err) {
		return nil
	}
	return err
}

// wait returns after d or when ctx ends.
func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
