package cli

import (
	"strings"

	"github.com/spf13/cobra"

	"mngr/internal/agent"
	"mngr/internal/config"
	"mngr/internal/output"
)

// completeAgents offers the names of agents; silence where nobody answers in time.
func completeAgents(app *App) cobra.CompletionFunc {
	return func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
		f, err := app.fleet()
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		ctx, done := agent.Within(cmd.Context(), agent.DeadlineComplete, "looking for names")
		defer done(nil)
		listing, _ := f.List(ctx, nil, false)
		var names []string
		for _, r := range listing.Rows {
			names = append(names, r.Agent.Name)
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}
}

func completeProviders(app *App) cobra.CompletionFunc {
	return func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		conf, err := app.config()
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		var names []string
		for _, p := range conf.Instances() {
			names = append(names, p.Name)
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}
}

// completeKeys offers the keys of the instances there are, and values that are words.
func completeKeys(app *App) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		var keys []string
		switch {
		case len(args) == 0:
			for _, key := range app.settingKeys() {
				entry, _ := config.Describe(key)
				keys = append(keys, cobra.CompletionWithDesc(key, entry.About))
			}
		case len(args) == 1 && cmd.Name() == "set":
			keys = config.Words(args[0])
		}
		return keys, cobra.ShellCompDirectiveNoFileComp
	}
}

// settingKeys are the keys of the instances there are. Settings that need mending show
// those of the instance azure.
func (a *App) settingKeys() []string {
	var keys []string
	conf, err := a.config()
	if err == nil {
		for _, v := range conf.List() {
			keys = append(keys, v.Key)
		}
		return keys
	}
	for _, e := range config.Reference() {
		keys = append(keys, strings.Replace(e.Key, ".NAME.", ".azure.", 1))
	}
	return keys
}

// completeFlags gives values to the flags that have a fixed set, wherever they occur.
func completeFlags(app *App, root *cobra.Command) {
	values := map[string]cobra.CompletionFunc{
		"format":    cobra.FixedCompletions([]string{string(output.Human), string(output.JSON), string(output.JSONL)}, cobra.ShellCompDirectiveNoFileComp),
		"type":      cobra.FixedCompletions(knownTypes(), cobra.ShellCompDirectiveNoFileComp),
		"idle-mode": cobra.FixedCompletions(config.IdleModes(), cobra.ShellCompDirectiveNoFileComp),
		"scope":     cobra.FixedCompletions([]string{"user", "project", "local"}, cobra.ShellCompDirectiveNoFileComp),
		"fields":    cobra.FixedCompletions(listSchema().Names(), cobra.ShellCompDirectiveNoFileComp),
		"provider":  completeProviders(app),
	}
	for _, cmd := range append(root.Commands(), root) {
		for name, complete := range values {
			if cmd.Flags().Lookup(name) != nil || cmd.PersistentFlags().Lookup(name) != nil {
				_ = cmd.RegisterFlagCompletionFunc(name, complete) // fails for a flag registered twice only
			}
		}
		if len(cmd.Commands()) > 0 && cmd != root {
			completeFlags(app, cmd)
		}
	}
}
