//go:build linux

package escape

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// targets are what differs from one machine to the next.
type targets struct {
	bridge    string // the machine's address on the container's network
	bridge6   string // its link-local IPv6 address there
	private   string // its address in the subnet
	neighbour string // an address of the subnet that serves port
	other     string // another host's address in the subnet
	signals   string // the directory that the container shares with the machine
	guest     string // the directory that the machine shows to the container

	patience time.Duration // for an answer over the network
}

func (t *targets) flags(set *flag.FlagSet) {
	set.StringVar(&t.bridge, "bridge", "172.17.0.1", "the machine's address on the container's network")
	set.StringVar(&t.bridge6, "bridge6", "", "its link-local IPv6 address there")
	set.StringVar(&t.private, "private", "", "its address in the subnet")
	set.StringVar(&t.neighbour, "neighbour", "", "an address of the subnet that is served")
	set.StringVar(&t.other, "other", "", "another host's address in the subnet")
	set.StringVar(&t.signals, "signals", "/run/mngr-signal", "the directory shared with the machine")
	set.StringVar(&t.guest, "guest", "/opt/mngr", "the directory shown to the container")
	set.DurationVar(&t.patience, "patience", 3*time.Second, "for an answer over the network")
}

// Main runs one verb and returns the exit code:
//
//	try WHICH FLAGS       tries the ways whose control is WHICH, or all, and prints a line each
//	serve                 is what there is to be reached on a machine, until it is killed
//	haunt FILE            knocks at the metadata service for ever and notes in FILE what answers
//	report WHERE=FILE...  judges what try has printed
func Main(args []string, stdout, stderr io.Writer) int {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	if err := run(ctx, args, stdout); err != nil {
		fmt.Fprintln(stderr, err)
		return 1
	}
	return 0
}

func run(ctx context.Context, args []string, stdout io.Writer) error {
	verb := ""
	if len(args) > 0 {
		verb, args = args[0], args[1:]
	}
	switch {
	case verb == "serve":
		return serve(ctx, stdout)
	case verb == "haunt" && len(args) == 1:
		return haunt(ctx, args[0])
	case verb == "report" && len(args) > 0:
		return report(stdout, args)
	case verb == "try" && len(args) > 0:
		var t targets
		set := flag.NewFlagSet("try", flag.ContinueOnError)
		t.flags(set)
		if err := set.Parse(args[1:]); err != nil {
			return err
		}
		return try(ctx, stdout, args[0], t)
	}
	return errors.New("usage: escape try|serve|haunt|report")
}
