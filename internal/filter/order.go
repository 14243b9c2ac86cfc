package filter

import (
	"cmp"
	"slices"
	"strings"

	"mngr/internal/agent"
)

// Order sorts rows by several paths.
type Order []key

type key struct {
	path string
	down bool
}

// ParseOrder reads "PATH [asc|desc], …".
func ParseOrder(s Schema, text string) (Order, error) {
	var o Order
	for part := range strings.SplitSeq(text, ",") {
		words := strings.Fields(part)
		if len(words) == 0 || len(words) > 2 || len(words) == 2 && words[1] != "asc" && words[1] != "desc" {
			return nil, agent.Errorf(agent.KindUsage, "%q is no order", strings.TrimSpace(part)).WithHint("write FIELD, FIELD asc or FIELD desc, separated by commas")
		}
		if err := s.Check(words[0]); err != nil {
			return nil, err
		}
		o = append(o, key{words[0], len(words) == 2 && words[1] == "desc"})
	}
	return o, nil
}

// Compare orders numbers before strings before the rest. What is missing comes last in
// both directions.
func (o Order) Compare(a, b Row) int {
	for _, k := range o {
		x, y := a.Get(k.path), b.Get(k.path)
		if x == nil || y == nil {
			if c := compareBool(x == nil, y == nil); c != 0 {
				return c
			}
			continue
		}
		c := compare(x, y)
		if k.down {
			c = -c
		}
		if c != 0 {
			return c
		}
	}
	return 0
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

func compare(a, b any) int {
	x, xn := number(a)
	y, yn := number(b)
	s, xs := a.(string)
	t, ys := b.(string)
	switch {
	case xn && yn:
		return cmp.Compare(x, y)
	case xs && ys:
		return strings.Compare(s, t)
	}
	return cmp.Compare(rank(xn, xs), rank(yn, ys))
}

func rank(number, text bool) int {
	return slices.Index([]bool{number, text, true}, true)
}

func number(v any) (float64, bool) {
	switch v := v.(type) {
	case int64:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}
