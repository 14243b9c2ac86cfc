//go:build linux

package escape

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// leastWays is how many the report must know of.
const leastWays = 20

// report prints a line a way and fails unless every one was blocked in every run of the
// container and open in its control's. Files are given as WHERE=FILE, where WHERE is
// container or a control.
func report(out io.Writer, files []string) error {
	runs := map[string][]map[string]string{}
	for _, given := range files {
		where, file, _ := strings.Cut(given, "=")
		lines, err := read(file)
		if err != nil {
			return err
		}
		runs[where] = append(runs[where], lines)
	}
	all := ways()
	slices.SortFunc(all, func(a, b way) int { return cmp.Or(cmp.Compare(a.control, b.control), cmp.Compare(a.name, b.name)) })
	bad := 0
	for _, w := range all {
		inside, outside := ended(runs["container"], w.name), ended(runs[string(w.control)], w.name)
		if inside != "blocked" || outside != "open" {
			bad++
		}
		verdict := "ok"
		if outside != "open" {
			verdict = strings.ToUpper(outside)
		}
		fmt.Fprintf(out, "%-22s %-8s control %s (%s)\n", w.name, inside, verdict, w.control)
	}
	fmt.Fprintf(out, "%d ways, tried %d times, %d wrong\n", len(all), len(runs["container"]), bad)
	switch {
	case len(all) < leastWays:
		return fmt.Errorf("fewer than %d ways", leastWays)
	case bad > 0:
		return errors.New("a way out is open, or its control shows nothing")
	}
	return nil
}

// ended is how a way ended in all of several runs.
func ended(runs []map[string]string, name string) string {
	how := "not tried"
	for n, run := range runs {
		got := cmp.Or(run[name], "not tried")
		if n > 0 && got != how {
			return how + ", then " + got
		}
		how = got
	}
	return how
}

// read returns how each way ended.
func read(file string) (map[string]string, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	all := map[string]string{}
	for line := range strings.Lines(string(content)) {
		if name, rest, ok := strings.Cut(strings.TrimRight(line, "\n"), "\t"); ok {
			all[name], _, _ = strings.Cut(rest, "\t")
		}
	}
	return all, nil
}
