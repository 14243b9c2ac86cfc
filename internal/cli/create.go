package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"mngr/internal/agent"
	"mngr/internal/config"
	"mngr/internal/ctl"
	"mngr/internal/fleet"
	"mngr/internal/git"
	"mngr/internal/hostsetup"
)

type createFlags struct {
	provider    string
	kind        string
	labels      []string
	env         []string
	tags        []string
	image       string
	buildArgs   []string
	startArgs   []string
	unsafe      bool
	idleTimeout string
	idleMode    string
	transfer    string
	newHost     bool
	noConnect   bool
	noWait      bool
	keepFailed  bool
	host        []string // given flags that shape a host
}

func newCreate(app *App) *cobra.Command {
	var flags createFlags
	cmd := &cobra.Command{
		Use:     "create NAME[@HOST[.PROVIDER]] [TYPE] [flags] [-- COMMAND ARGS...]",
		Aliases: []string{"c"},
		Short:   "Create an agent, and a host for it",
		Long: `Create an agent, and unless @HOST names one that runs, a host for it: a virtual
machine with a container. The current branch of the repository you stand in is pushed
into the agent's work directory.

With further -b arguments the host's image is built on its machine by docker build: the
context is sent there without what .dockerignore names. -s arguments go to docker run.

What follows -- is run as it is, without a shell. Interrupted once, create removes what
it made; an earlier create that was cut short is finished by repeating it.`,
		Example: `  mngr create my-agent --provider azure -- ./long-job.sh
  mngr create my-agent --provider azure -b --azure-vm-size=Standard_D2s_v5
  mngr create my-agent --provider azure -b --file=Dockerfile -b .
  mngr create second@my-agent -- make test
  mngr create try --provider azure-local --no-connect -- sleep 3600`,
		RunE: func(cmd *cobra.Command, args []string) error {
			dash := cmd.ArgsLenAtDash()
			if dash < 0 {
				dash = len(args)
			}
			if dash < 1 || dash > 2 {
				return agent.Errorf(agent.KindUsage, "create needs a name, and at most a type after it").WithHint("mngr create --help")
			}
			for _, name := range []string{"image", "build-arg", "start-arg", "unsafe-start-args", "idle-timeout", "idle-mode", "tag"} {
				if cmd.Flags().Changed(name) {
					flags.host = append(flags.host, "--"+name)
				}
			}
			return runCreate(cmd.Context(), app, flags, args[:dash], args[dash:])
		},
	}
	f := cmd.Flags()
	f.StringVar(&flags.provider, "provider", "", "provider instance of a new host (default: default_provider)")
	f.StringVar(&flags.kind, "type", "", "agent type: command, shell, or a coding agent's name")
	f.StringArrayVar(&flags.labels, "label", nil, "label of the agent, KEY=VALUE (repeatable)")
	f.StringArrayVar(&flags.env, "env", nil, "environment of the agent, KEY=VALUE, or KEY to pass yours on (repeatable)")
	f.StringArrayVar(&flags.tags, "tag", nil, "Azure tag on the machine, its interface and its address, KEY=VALUE (repeatable)")
	f.StringVar(&flags.image, "image", "", "container image (default: default_image)")
	f.StringArrayVarP(&flags.buildArgs, "build-arg", "b", nil, "machine: --azure-region=R, --azure-vm-size=S, --azure-spot; --git-depth=N; all others go to docker build (repeatable)")
	f.StringArrayVarP(&flags.startArgs, "start-arg", "s", nil, "further arguments of docker run (repeatable)")
	f.BoolVar(&flags.unsafe, "unsafe-start-args", false, "allow arguments that let agents reach the machine, which then cannot deallocate itself")
	f.StringVar(&flags.idleTimeout, "idle-timeout", "", "idle time after which the host deallocates itself: 90s, 1h30m, or 0 for never")
	f.StringVar(&flags.idleMode, "idle-mode", "", "what counts as activity: io, user, agent, ssh, create, boot, start, run or disabled")
	f.StringVar(&flags.transfer, "transfer", "auto", "what goes into the work directory: git-mirror, none, or auto")
	f.BoolVar(&flags.newHost, "new-host", false, "make the host named after @")
	f.BoolVar(&flags.noConnect, "no-connect", false, "do not connect afterwards")
	f.BoolVar(&flags.noWait, "no-wait", false, "return once Azure has accepted the machine; mngr start, or the same create, finishes it")
	f.BoolVar(&flags.keepFailed, "keep-failed", false, "leave a host whose creation failed for inspection; it bills")
	return cmd
}

// newAddress reads the address of an agent that is to be made: names that would be taken
// for ids could not be told from those afterwards.
func newAddress(text string) (agent.Address, error) {
	a, err := agent.ParseAddress(text)
	if err == nil {
		err = agent.CheckNewName("agent", a.Agent)
	}
	if err == nil && a.Host != "" {
		err = agent.CheckNewName("host", a.Host)
	}
	return a, err
}

func runCreate(ctx context.Context, app *App, flags createFlags, args, argv []string) error {
	conf, err := app.config()
	if err != nil {
		return err
	}
	address, err := newAddress(args[0])
	if err != nil {
		return err
	}
	if address.Host != "" && address.Provider == "" && flags.provider == "" && !flags.newHost {
		if address.Provider, err = app.providerOf(ctx, address.Host); err != nil {
			return err
		}
	}
	provider, err := createProvider(conf, address, flags)
	if err != nil {
		return err
	}
	o, err := createOptions(app, conf, provider, address, flags, args[1:], argv)
	if err != nil {
		return err
	}
	if err := app.fillWorkDir(ctx, &o, flags.transfer); err != nil {
		return err
	}
	app.explainSpot(o, provider)
	if err := app.ensureLocal(ctx, provider); err != nil {
		return err
	}
	f, err := app.fleet()
	if err != nil {
		return err
	}
	o.AtStake = app.leftOfCreate
	if o.Unsafe {
		app.printer().Warn("with --unsafe-start-args the agents of this host may take over its machine: "+
			"it gets no identity, never deallocates itself when idle, and is listed as UNSAFE", "")
	}
	shown := app.newTrail()
	said := app.showBuild(o.Build, shown.progress)
	made, err := f.Create(ctx, o, shown.phase)
	said.failed(err)
	shown.end(err)
	if err != nil {
		return err
	}
	app.printer().WarnAll(made.Warnings)
	if err := app.printCreated(ctx, f, made, provider); err != nil {
		return unwritten(err, true, fmt.Sprintf("agent %s is made, and its host %s bills", made.Agent.Name, made.Host.Name),
			"mngr list # shows it; mngr destroy --force "+made.Agent.Name+"@"+made.Host.Name+" removes it")
	}
	app.left.Store(nil)
	if flags.noConnect || flags.noWait || !conf.Create.Connect || !app.interactive() {
		return nil
	}
	err = connect(ctx, f, fleet.Row{Agent: made.Agent, Host: runningHost(made.Host), State: agent.Running})
	if errors.Is(err, fleet.ErrEnded) { // what it was made for is done
		app.printer().Warn(err.Error(), agent.HintOf(err))
		app.printer().Text(agent.LinesOf(err))
		return nil
	}
	return err
}

// providerOf finds the instance that sees a host; "" when none does.
func (a *App) providerOf(ctx context.Context, host string) (string, error) {
	f, err := a.fleet()
	if err != nil {
		return "", err
	}
	return f.ProviderOf(ctx, host)
}

func runningHost(h agent.Host) agent.Host {
	h.State = agent.HostRunning
	return h
}

func createProvider(conf *config.Config, a agent.Address, flags createFlags) (config.Provider, error) {
	name := flags.provider
	switch {
	case a.Provider != "" && name != "" && a.Provider != name:
		return config.Provider{}, agent.Errorf(agent.KindUsage, "the address says provider %q and --provider says %q", a.Provider, name)
	case a.Provider != "":
		name = a.Provider
	case name == "":
		name = conf.DefaultProvider
	}
	return conf.Enabled(name)
}

func createOptions(app *App, conf *config.Config, p config.Provider, a agent.Address, flags createFlags, types, argv []string) (fleet.CreateOptions, error) {
	o := fleet.CreateOptions{
		Name: a.Agent, Host: a.Host, NewHost: flags.newHost, Provider: p.Name, Argv: argv,
		Image: flags.image, Unsafe: flags.unsafe, NoWait: flags.noWait, KeepFailed: flags.keepFailed, HostFlags: flags.host,
		Idle: ctl.Idle{Mode: p.DefaultIdleMode, TimeoutSeconds: p.DefaultIdleTimeout},
	}
	if flags.newHost && a.Host == "" {
		return o, agent.Errorf(agent.KindUsage, "--new-host needs the host's name: %s@HOST", a.Agent)
	}
	var err error
	if o.Type, err = createType(app, conf, flags.kind, types, argv); err != nil {
		return o, err
	}
	if o.Labels, err = labels(flags.labels); err != nil {
		return o, err
	}
	if o.Tags, err = userTags(flags.tags); err != nil {
		return o, err
	}
	if o.Env, err = environment(flags.env, os.LookupEnv); err != nil {
		return o, err
	}
	if o.Image != "" {
		if err := config.CheckImage(o.Image); err != nil {
			return o, err
		}
	}
	if err := setIdle(&o.Idle, flags); err != nil {
		return o, err
	}
	if err := buildArgs(&o, flags.buildArgs); err != nil {
		return o, err
	}
	if o.StartArgs, err = flatten(flags.startArgs); err != nil {
		return o, err
	}
	rules := hostsetup.StartRules{Unsafe: o.Unsafe, SSHPort: p.ContainerSSHPort}
	return o, hostsetup.CheckStartArgs(slices.Concat(startArgs(p), o.StartArgs), rules)
}

// createType picks the agent's type: what follows -- is a command, a terminal is enough
// for a shell, and otherwise nothing is guessed.
func createType(app *App, conf *config.Config, flag string, positional, argv []string) (string, error) {
	kind := flag
	if len(positional) == 1 {
		if flag != "" && flag != positional[0] {
			return "", agent.Errorf(agent.KindUsage, "the type is given twice: %q and --type %q", positional[0], flag)
		}
		kind = positional[0]
	}
	switch {
	case kind == "" && len(argv) > 0:
		return "command", nil
	case kind == "":
		kind = conf.Create.Type
	}
	switch {
	case kind == "" && app.interactive():
		return "shell", nil
	case kind == "":
		return "", agent.Errorf(agent.KindUsage, "what the agent runs is not said").
			WithHint("mngr config set commands.create.type shell # or add -- COMMAND ARGS…, or --type shell")
	case kind == "command" && len(argv) == 0:
		return "", agent.Errorf(agent.KindUsage, "type command needs a command").WithHint("add -- COMMAND ARGS…")
	case !knownType(kind):
		return "", agent.Errorf(agent.KindUsage, "unknown agent type %q (known: %s)", kind, strings.Join(knownTypes(), ", "))
	}
	return kind, nil
}

func labels(pairs []string) (map[string]string, error) {
	var m map[string]string
	for _, p := range pairs {
		k, v, ok := strings.Cut(p, "=")
		if !ok || k == "" {
			return nil, agent.Errorf(agent.KindUsage, "--label %q is not of the form KEY=VALUE", p)
		}
		if m == nil {
			m = map[string]string{}
		}
		m[k] = v
	}
	return m, nil
}

func userTags(pairs []string) (map[string]string, error) {
	m := map[string]string{}
	for _, p := range pairs {
		k, v, ok := strings.Cut(p, "=")
		if !ok {
			return nil, agent.Errorf(agent.KindUsage, "--tag %q is not of the form KEY=VALUE", p)
		}
		if err := fleet.CheckUserTag(k, v); err != nil {
			return nil, err
		}
		m[k] = v
	}
	return m, nil
}

// fillWorkDir finds the repository whose branch the agent gets.
func (a *App) fillWorkDir(ctx context.Context, o *fleet.CreateOptions, transfer string) error {
	switch transfer {
	case "none":
		return nil
	case "auto", "git-mirror":
	default:
		return agent.Errorf(agent.KindUsage, "--transfer %q is none of git-mirror, none and auto", transfer)
	}
	dir, err := os.Getwd()
	if err != nil {
		return fmt.Errorf("find the current directory: %w", err)
	}
	repo, err := git.Open(ctx, dir)
	switch {
	case errors.Is(err, git.ErrNoRepository) && transfer == "auto":
		a.printer().Note("not in a git repository: the agent starts in an empty directory")
		return nil
	case errors.Is(err, git.ErrNoRepository):
		return agent.Errorf(agent.KindUsage, "--transfer git-mirror: %s is %w", dir, err)
	case err != nil:
		return err
	case repo.Commit == "":
		a.printer().Note("the repository has no commit yet: the agent starts in an empty directory")
		return nil
	}
	if repo.Changed > 0 {
		files := fmt.Sprintf("%d changed files are not committed and stay here", repo.Changed)
		if repo.Changed == 1 {
			files = "1 changed file is not committed and stays here"
		}
		a.printer().Warn(files+": the agent gets the last commit", "")
	}
	o.Repo = &repo
	return nil
}
