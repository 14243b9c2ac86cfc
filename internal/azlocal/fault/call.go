package fault

import (
	"fmt"
	"strconv"
	"strings"

	"mngr/internal/azlocal/doc"
)

// Call is a request as rules see it.
type Call struct {
	Operation string // as the activity log names it
	Resource  string // ARM id; the machine's for IMDS
	Body      doc.Object
	Part      bool // nobody sent it: a part goes with its machine or its group
}

// connection tells whether the call is a connection to a machine.
func (c Call) connection() bool { return strings.HasPrefix(c.Operation, TCPPrefix) }

// field is the value at a dotted path of the body as text; a number is an index of an array.
// ok is false when nothing is there, or no single value.
func (c Call) field(path string) (text string, ok bool) {
	var v any = c.Body
	for step := range strings.SplitSeq(path, ".") {
		switch node := v.(type) {
		case doc.Object:
			v = node[step]
		case map[string]any:
			v = node[step]
		case []any:
			n, err := strconv.Atoi(step)
			if err != nil || n < 0 || n >= len(node) {
				return "", false
			}
			v = node[n]
		default:
			return "", false
		}
	}
	switch v.(type) {
	case string, bool, float64, int:
		return fmt.Sprint(v), true
	}
	return "", false
}
