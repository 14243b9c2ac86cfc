package cli

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"mngr/internal/output"
)

// version is set by the linker where the build knows it.
var version string

// Version is the version of this build: the release's, the module's, or the commit it was
// built from.
func Version() string {
	if version != "" {
		return version
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return "devel-" + s.Value[:12]
		}
	}
	return "devel"
}

func newVersion(app *App) *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the version",
		Example: "  mngr version\n  mngr version --format json",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			platform := runtime.GOOS + "/" + runtime.GOARCH
			return app.printer().Emit(output.Result{
				Event: "version",
				Data: struct {
					Version  string `json:"version"`
					Go       string `json:"go"`
					Platform string `json:"platform"`
				}{Version(), runtime.Version(), platform},
				Human: func(w io.Writer) error {
					_, err := fmt.Fprintf(w, "mngr %s (%s, %s)\n", Version(), runtime.Version(), platform)
					return err
				},
			})
		},
	}
}
