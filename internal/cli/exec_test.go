package cli

import (
	"bytes"
	"strings"
	"testing"

	"mngr/internal/output"
)

// That a command wrote more than is kept is said in every format.
func TestCutOutputIsSaid(t *testing.T) {
	for format, want := range map[string]string{"human": "a: of each stream only the first 16 MiB are kept", "json": `"truncated":true`, "jsonl": `"truncated":true`} {
		for _, cut := range []bool{true, false} {
			var out, errs bytes.Buffer
			app := newApp(output.Streams{Out: &out, Err: &errs})
			app.global.format = format
			if err := app.printExec([]execResult{{Agent: "a", Stdout: "x", Truncated: cut, Success: true, ExitCode: new(int)}}, nil); err != nil {
				t.Fatal(err)
			}
			if said := strings.ReplaceAll(out.String(), ": ", ":") + errs.String(); strings.Contains(said, want) != cut {
				t.Errorf("%s, cut %v: %s", format, cut, said)
			}
		}
	}
}
