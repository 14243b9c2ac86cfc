//go:build linux

package escape

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
)

// control is where a way works, which shows that it was tried in earnest.
type control string

const (
	onMachine    control = "machine"  // on the machine itself
	onComputer   control = "computer" // on the computer that plays Azure
	withoutGuard control = "guard"    // in the container, while the machine's guard is down
)

// way is one attempt. It returns nil if it got through.
type way struct {
	name    string
	control control
	try     func(ctx context.Context, t targets) error
}

func ways() []way {
	var all []way
	for kind, named := range map[control]map[string]func(context.Context, targets) error{
		withoutGuard: network(), onMachine: machine(), onComputer: computer(),
	} {
		for name, try := range named {
			all = append(all, way{name, kind, try})
		}
	}
	return all
}

// try goes all ways at once that have a control, and prints how each ended.
func try(ctx context.Context, out io.Writer, which string, t targets) error {
	var mu sync.Mutex
	var wg sync.WaitGroup
	for _, w := range ways() {
		if which != "all" && which != string(w.control) {
			continue
		}
		wg.Go(func() {
			err := w.try(ctx, t)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				fmt.Fprintf(out, "%s\topen\n", w.name)
				return
			}
			fmt.Fprintf(out, "%s\tblocked\t%s\n", w.name, strings.ReplaceAll(err.Error(), "\n", "; "))
		})
	}
	wg.Wait()
	return nil
}
