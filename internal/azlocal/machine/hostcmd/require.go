package hostcmd

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// Tool is a program of the host and the Debian package that has it.
type Tool struct{ Name, Package string }

// Require checks that this process is root and that tools are installed; the error is one
// line with its remedy.
func Require(tools ...Tool) error {
	if os.Geteuid() != 0 {
		return errors.New("machines of the local Azure need root: run it with sudo")
	}
	var missing []string
	for _, tool := range tools {
		if _, err := exec.LookPath(tool.Name); err != nil && !slices.Contains(missing, tool.Package) {
			missing = append(missing, tool.Package)
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("machines of the local Azure need packages that are missing: apt-get install %s", strings.Join(missing, " "))
	}
	return nil
}
