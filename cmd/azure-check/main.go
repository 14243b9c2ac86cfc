// Command azure-check lives one agent's life on Azure, and asks what is not known of it.
// `make azure-check` builds and runs it.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"mngr/internal/azurecheck"
)

func main() {
	o := azurecheck.Options{In: os.Stdin, Out: os.Stdout}
	flag.StringVar(&o.Binary, "mngr", "bin/mngr", "the mngr to run")
	flag.BoolVar(&o.Local, "local", false, "ask the local Azure, which must run")
	flag.BoolVar(&o.Confirm, "yes", false, "do not ask before money is spent")
	flag.StringVar(&o.Region, "region", "", "region (default: the provider's)")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	if err := azurecheck.Run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "azure-check:", err)
		os.Exit(1)
	}
}
