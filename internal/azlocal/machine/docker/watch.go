package docker

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"mngr/internal/azlocal/machine/hostcmd"
)

// watchPause is how long the watch waits for an engine that went away.
const watchPause = time.Second

// watch follows the ends of the instance's machines until the driver closes. After an
// interruption it asks for what happened meanwhile.
func (d *Driver) watch() {
	since := time.Now()
	for d.background.Err() == nil {
		began := time.Now()
		err := d.follow(since)
		since = began
		select {
		case <-d.background.Done():
		case <-time.After(watchPause):
			d.log.Warn("the Docker engine's events ended", "err", err)
			d.lookAtAll()
		}
	}
}

// follow reads the engine's events until they end.
func (d *Driver) follow(since time.Time) error {
	lines, out := io.Pipe()
	d.all.Go(func() {
		for scanner := bufio.NewScanner(lines); scanner.Scan(); {
			key := strings.TrimSpace(scanner.Text())
			d.all.Go(func() { d.ended(d.background, key) })
		}
	})
	err := hostcmd.Stream(d.background, nil, out, "docker", "events", "--since", strconv.FormatInt(since.Unix(), 10),
		"--filter", "type=container", "--filter", "event=die", "--filter", "label="+labelInstance+"="+d.config.ID,
		"--filter", "label="+labelRole+"="+string(roleMachine), "--format", fmt.Sprintf("{{index .Actor.Attributes %q}}", labelKey))
	out.Close()
	return err
}

// lookAtAll treats every machine as if its end had been reported: ended looks itself.
func (d *Driver) lookAtAll() {
	d.mu.Lock()
	var keys []string
	for key := range d.guests {
		keys = append(keys, key)
	}
	d.mu.Unlock()
	for _, key := range keys {
		d.ended(d.background, key)
	}
}

// ended follows up a machine whose container ended without the driver: a reboot brings it
// up again, anything else is reported. An event may be late: what counts is what is so now.
func (d *Driver) ended(ctx context.Context, key string) {
	d.mu.Lock()
	g := d.guests[key]
	d.mu.Unlock()
	if g == nil {
		return
	}
	gone := false
	_, err := d.locked(g, func() (*life, error) {
		if g.off.Load() {
			return nil, nil
		}
		c, err := inspect(ctx, d.object(roleMachine, key))
		if err != nil || c != nil && c.State.Running {
			return nil, err
		}
		if c != nil && c.State.ExitCode == exitReboot {
			d.log.Info("machine reboots", "key", key)
			return nil, d.boot(ctx, g)
		}
		gone = true
		g.off.Store(true)
		g.life.end()
		err = d.hide(ctx, g)
		g.hangUp()
		return nil, err
	})
	if err != nil && ctx.Err() == nil {
		d.log.Error("follow up a machine that ended", "key", key, "err", err)
	}
	if gone {
		d.log.Info("machine switched itself off", "key", key)
		d.services.PoweredOff(key)
	}
}
