package docker

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"

	"mngr/internal/azlocal/machine/hostcmd"
)

// watchPause is how long the watch waits for an engine that went away.
const watchPause = time.Second

// Watch follows the engine's events. After an interruption it asks for what happened
// meanwhile.
func (e *engine) Watch(ctx context.Context, ended func(key string)) {
	var calls sync.WaitGroup
	defer calls.Wait()
	since := time.Now()
	for ctx.Err() == nil {
		began := time.Now()
		err := e.follow(ctx, since, func(key string) { calls.Go(func() { ended(key) }) })
		since = began
		select {
		case <-ctx.Done():
		case <-time.After(watchPause):
			e.Log.Warn("the Docker engine's events ended", "err", err)
			e.lookAtAll(ctx, ended)
		}
	}
}

// follow reads the engine's events until they end.
func (e *engine) follow(ctx context.Context, since time.Time, ended func(key string)) error {
	lines, out := io.Pipe()
	var reading sync.WaitGroup
	reading.Go(func() {
		for scanner := bufio.NewScanner(lines); scanner.Scan(); {
			ended(strings.TrimSpace(scanner.Text()))
		}
	})
	err := hostcmd.Follow(ctx, out, "docker", "events", "--since", strconv.FormatInt(since.Unix(), 10),
		"--filter", "type=container", "--filter", "event=die", "--filter", "label="+labelInstance+"="+e.ID,
		"--filter", "label="+labelRole+"="+string(roleMachine), "--format", fmt.Sprintf("{{index .Actor.Attributes %q}}", labelKey))
	out.Close()
	reading.Wait()
	return err
}

// lookAtAll treats every machine as if its end had been reported.
func (e *engine) lookAtAll(ctx context.Context, ended func(key string)) {
	all, err := e.containers(ctx)
	if err != nil {
		e.Log.Debug("look at all machines", "err", err)
	}
	for _, c := range all {
		if c.role == roleMachine {
			ended(c.key)
		}
	}
}
