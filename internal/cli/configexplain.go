package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"mngr/internal/agent"
	"mngr/internal/config"
	"mngr/internal/output"
)

// explanation is a key with what every layer says of it. Its JSON shape is a contract.
type explanation struct {
	config.Value
	Type   string  `json:"type"`
	About  string  `json:"about"`
	Env    string  `json:"environment"`
	Layers []layer `json:"layers"` // the strongest first
}

type layer struct {
	Value   any           `json:"value"`
	Origin  config.Origin `json:"origin"`
	InForce bool          `json:"in_force"`
}

func newConfigExplain(app *App) *cobra.Command {
	return &cobra.Command{
		Use:   "explain [KEY]",
		Short: "Show what each layer says of a setting, and which one counts",
		Long: `Show what each layer says of a setting, and which one counts.

KEY may be a table, for example providers.azure; without KEY all settings are shown.`,
		Example:           "  mngr config explain providers.azure.default_region\n  mngr config explain providers.azure\n  mngr config explain -S providers.azure.default_region=eastus",
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: completeKeys(app),
		RunE: func(_ *cobra.Command, args []string) error {
			conf, err := app.config()
			if err != nil {
				return err
			}
			key := ""
			if len(args) > 0 {
				key = args[0]
			}
			all, single, err := explain(conf, key)
			if err != nil {
				return err
			}
			if single {
				return app.explainOne(all[0])
			}
			return app.explainAll(all)
		},
	}
}

// explain returns a single key, or all keys of a table, or all keys there are.
func explain(conf *config.Config, key string) (all []explanation, single bool, err error) {
	var values []config.Value
	for _, v := range conf.List() {
		if key == "" || strings.HasPrefix(v.Key, key+".") {
			values = append(values, v)
		}
	}
	// A cloud may be both: then its name and its table are shown.
	v, err := conf.Explain(key)
	switch {
	case err == nil:
		single = len(values) == 0
		values = append([]config.Value{v}, values...)
	case len(values) == 0:
		return nil, false, err
	}
	for _, v := range values {
		entry, _ := config.Describe(v.Key)
		e := explanation{Value: v, Type: entry.Type, About: entry.About, Env: entry.Env}
		for i, l := range conf.Layers(v.Key) {
			e.Layers = append(e.Layers, layer{l.Value, l.Origin, i == 0})
		}
		all = append(all, e)
	}
	return all, single, nil
}

func (e explanation) rows(key string) [][]string {
	var rows [][]string
	for _, l := range e.Layers {
		status := "in force"
		if !l.InForce {
			key, status = "", "overridden"
		}
		rows = append(rows, []string{key, config.Value{Value: l.Value}.Text(), string(l.Origin.Layer), l.Origin.Place(), status})
	}
	return rows
}

func (a *App) explainOne(e explanation) error {
	return a.printer().Emit(output.Result{
		Event: "config_explain", Data: e,
		Human: func(w io.Writer) error {
			if _, err := fmt.Fprintf(w, "%s: %s (%s; variable %s)\n", e.Key, e.About, e.Type, e.Env); err != nil {
				return err
			}
			t := output.Table{Header: []string{"VALUE", "LAYER", "WHERE", ""}}
			for _, r := range e.rows("") {
				t.Rows = append(t.Rows, r[1:])
			}
			return a.printer().WriteTable(w, t)
		},
	})
}

func (a *App) explainAll(all []explanation) error {
	return a.printer().Emit(output.Result{
		Event: "config_explain", Data: map[string]any{"values": all},
		Human: func(w io.Writer) error {
			t := output.Table{Header: []string{"KEY", "VALUE", "LAYER", "WHERE", ""}}
			for _, e := range all {
				t.Rows = append(t.Rows, e.rows(e.Key)...)
			}
			return a.printer().WriteTable(w, t)
		},
	})
}

func newConfigReference(app *App) *cobra.Command {
	return &cobra.Command{
		Use:               "reference [WORD]",
		Short:             "List the keys there are, with their meaning",
		Example:           "  mngr config reference\n  mngr config reference spot",
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(_ *cobra.Command, args []string) error {
			entries := []config.Entry{}
			for _, e := range config.Reference() {
				if len(args) == 0 || strings.Contains(strings.ToLower(e.Key+" "+e.About), strings.ToLower(args[0])) {
					entries = append(entries, e)
				}
			}
			if len(entries) == 0 {
				return agent.Errorf(agent.KindNotFound, "no key has anything to do with %q", args[0]).WithHint("mngr config reference")
			}
			return app.printer().Emit(output.Result{
				Event: "config_reference", Data: map[string]any{"keys": entries},
				Human: func(w io.Writer) error {
					t := output.Table{Header: []string{"KEY", "TYPE", "DEFAULT", "MEANING"}}
					for _, e := range entries {
						t.Rows = append(t.Rows, []string{e.Key, e.Type, e.Default, strings.ReplaceAll(e.About, "`", "")})
					}
					return app.printer().WriteTable(w, t)
				},
			})
		},
	}
}
