package azurecheck

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// Main runs the command line and returns the exit code. An interrupt ends the questions,
// and everything is removed all the same.
func Main(args []string) int {
	o := Options{In: os.Stdin, Out: os.Stdout}
	flags := flag.NewFlagSet("azure-check", flag.ContinueOnError)
	flags.StringVar(&o.Binary, "mngr", "bin/mngr", "the mngr to run")
	flags.BoolVar(&o.Local, "local", false, "ask the local Azure, which must run")
	flags.BoolVar(&o.Confirm, "yes", false, "do not ask before money is spent")
	flags.StringVar(&o.Region, "region", "", "region (default: the provider's)")
	if flags.Parse(args) != nil {
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	if err := Run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "azure-check:", err)
		return 1
	}
	return 0
}
