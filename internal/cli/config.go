package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"mngr/internal/config"
	"mngr/internal/output"
)

func newConfig(app *App) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "config",
		Aliases: []string{"cfg"},
		Short:   "Read and change settings",
		Example: "  mngr config path\n  mngr config set providers.azure.default_region eastus\n  mngr config get providers.azure.default_region",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newConfigPath(app), newConfigGet(app), newConfigSet(app), newConfigUnset(app), newConfigList(app),
		newConfigExplain(app), newConfigReference(app))
	return cmd
}

func newConfigPath(app *App) *cobra.Command {
	return &cobra.Command{
		Use:     "path",
		Short:   "Show where settings, keys and state lie",
		Example: "  mngr config path",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			files, err := app.files()
			if err != nil {
				return err
			}
			type row struct {
				Scope  string `json:"scope"`
				Path   string `json:"path"`
				Exists bool   `json:"exists"`
			}
			var rows []row
			for _, r := range []row{
				{Scope: "base", Path: files.BaseDir}, {Scope: "user", Path: files.User},
				{Scope: "project", Path: files.Project}, {Scope: "local", Path: files.Local},
			} {
				if r.Path != "" {
					_, err := os.Stat(r.Path)
					r.Exists = !errors.Is(err, fs.ErrNotExist)
					rows = append(rows, r)
				}
			}
			return app.printer().Emit(output.Result{
				Event: "config_path",
				Data:  map[string]any{"paths": rows},
				Human: func(w io.Writer) error {
					t := output.Table{Header: []string{"SCOPE", "EXISTS", "PATH"}}
					for _, r := range rows {
						t.Rows = append(t.Rows, []string{r.Scope, yesNo(r.Exists), r.Path})
					}
					return app.printer().WriteTable(w, t)
				},
			})
		},
	}
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// files finds the settings files without reading them, so that a broken one can be
// found, and mended with `config set`.
func (a *App) files() (config.Files, error) {
	home, _ := os.UserHomeDir()
	dir, _ := os.Getwd()
	return config.Locate(config.Options{Home: home, WorkDir: dir, Environ: os.Environ()})
}

func newConfigGet(app *App) *cobra.Command {
	return &cobra.Command{
		Use:               "get KEY",
		Short:             "Print one setting as it is in force",
		Example:           "  mngr config get providers.azure.default_region",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeKeys(app),
		RunE: func(_ *cobra.Command, args []string) error {
			conf, err := app.config()
			if err != nil {
				return err
			}
			v, err := conf.Explain(args[0])
			if err != nil {
				return err
			}
			return app.printer().Emit(output.Result{
				Event: "config_value", Data: v,
				Human: func(w io.Writer) error {
					_, err := fmt.Fprintln(w, v.Text())
					return err
				},
			})
		},
	}
}

func newConfigList(app *App) *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List settings and where each comes from",
		Example: "  mngr config list\n  mngr config list --all",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			conf, err := app.config()
			if err != nil {
				return err
			}
			values := []config.Value{}
			for _, v := range conf.List() {
				if all || v.Origin.Layer != config.LayerDefault {
					values = append(values, v)
				}
			}
			return app.printer().Emit(output.Result{
				Event: "config_list",
				Data:  map[string]any{"values": values},
				Human: func(w io.Writer) error {
					if len(values) == 0 {
						app.printer().Note("nothing is set; --all shows the defaults")
						return nil
					}
					t := output.Table{Header: []string{"KEY", "VALUE", "FROM"}}
					for _, v := range values {
						t.Rows = append(t.Rows, []string{v.Key, v.Text(), v.Origin.String()})
					}
					return app.printer().WriteTable(w, t)
				},
			})
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "defaults too")
	return cmd
}

func newConfigSet(app *App) *cobra.Command {
	return configEdit(app, &cobra.Command{
		Use:               "set KEY VALUE",
		Short:             "Write one setting; comments stay",
		Example:           "  mngr config set providers.azure.default_region eastus\n  mngr config set providers.azure.allowed_ssh_cidrs 203.0.113.4/32 --scope project",
		Args:              cobra.ExactArgs(2),
		ValidArgsFunction: completeKeys(app),
	}, "set %s in %s", func(path string, args []string) error { return config.Set(path, args[0], args[1]) })
}

func newConfigUnset(app *App) *cobra.Command {
	return configEdit(app, &cobra.Command{
		Use:               "unset KEY",
		Short:             "Remove one setting, or a whole table; comments stay",
		Example:           "  mngr config unset providers.azure.default_region\n  mngr config unset providers.azure-west",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeKeys(app),
	}, "removed %s from %s", func(path string, args []string) error { return config.Unset(path, args[0]) })
}

// configEdit completes a command that changes the file of a scope; note says so with the
// key and the file.
func configEdit(app *App, cmd *cobra.Command, note string, edit func(path string, args []string) error) *cobra.Command {
	scope := cmd.Flags().String("scope", string(config.ScopeUser), "whose settings: user, project or local")
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		path, err := app.scopePath(*scope)
		if err != nil {
			return err
		}
		if err := edit(path, args); err != nil {
			return err
		}
		app.printer().Note(note, args[0], path)
		return nil
	}
	return cmd
}

func (a *App) scopePath(scope string) (string, error) {
	files, err := a.files()
	if err != nil {
		return "", err
	}
	return files.Path(config.Scope(scope))
}
