package cli

import (
	"os"
	"sync/atomic"

	"mngr/internal/agent"
	"mngr/internal/config"
	"mngr/internal/fleet"
	"mngr/internal/output"
)

// App is what all commands share. Everything that costs time is made when it is first
// asked for: --help and completion read no file and open no connection.
type App struct {
	streams output.Streams
	global  globalFlags
	left    atomic.Pointer[agent.Error] // what the process would leave if it ended now; nil for nothing
	cut     atomic.Bool                 // its user has interrupted it
	running bool                        // the flags are parsed and a command has begun
	command invocation                  // what it is, as the log of writes tells

	out  atomic.Pointer[output.Printer]
	conf *config.Config
}

type globalFlags struct {
	format   string
	quiet    bool
	headless bool
	settings []string
}

func newApp(s output.Streams) *App { return &App{streams: s} }

// printer is made after the flags are parsed; before, it speaks to a human.
func (a *App) printer() *output.Printer {
	if p := a.out.Load(); p != nil {
		return p
	}
	format, err := output.ParseFormat(a.global.format)
	if err != nil {
		format = output.Human
	}
	p := output.New(a.streams, format, a.global.quiet)
	a.out.Store(p)
	return p
}

// config loads the settings once.
func (a *App) config(flags ...config.Override) (*config.Config, error) {
	if a.conf != nil {
		return a.conf, nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		home = ""
	}
	dir, err := os.Getwd()
	if err != nil {
		dir = ""
	}
	var overrides []config.Override
	for _, s := range a.global.settings {
		o, err := config.ParseSetting(s)
		if err != nil {
			return nil, err
		}
		overrides = append(overrides, o)
	}
	if a.global.headless {
		overrides = append(overrides, config.Override{Key: "headless", Value: "true", Flag: "--headless"})
	}
	a.conf, err = config.Load(config.Options{
		Home: home, WorkDir: dir, Environ: os.Environ(), Overrides: append(overrides, flags...),
	})
	return a.conf, err
}

// interactive tells whether a person sits at both ends.
func (a *App) interactive() bool {
	if a.global.headless || a.conf != nil && a.conf.Headless {
		return false
	}
	return a.streams.Interactive()
}

// fleet wires the use cases to their adapters.
func (a *App) fleet() (*fleet.Fleet, error) {
	conf, err := a.config()
	if err != nil {
		return nil, err
	}
	return wire(conf, os.LookupEnv, a.recorder(conf))
}
