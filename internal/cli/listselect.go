package cli

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"mngr/internal/agent"
	"mngr/internal/filter"
	"mngr/internal/fleet"
	"mngr/internal/output"
)

// listFlags say which rows are shown, and how.
type listFlags struct {
	providers, include, exclude, labels, hostLabels []string
	running, stopped, active                        bool

	fields, headers    []string
	sort               string
	limit              int
	ids, addrs, schema bool
}

// listSchema is what rows have: their JSON, and what is computed from it.
func listSchema() filter.Schema {
	return filter.SchemaOf(agentRow{}, "project", "host.provider", "age", "runtime", "idle")
}

// entry is one line of a listing: an agent, or a host that has none.
type entry struct {
	row  filter.Row
	data *agentRow // nil for a host alone
	host agent.Host
	cost fleet.Cost
}

// selection is a listing's flags after they have been checked.
type selection struct {
	schema           filter.Schema
	include, exclude []*filter.Expr
	flags            listFlags
	order            filter.Order
	fields           []string
	headers          map[string]string
	template         *output.Template
}

// newSelection refuses what is wrong with the flags before any provider is asked.
func newSelection(flags listFlags, format string) (selection, error) {
	s := selection{schema: listSchema(), flags: flags, headers: map[string]string{}}
	compiler := filter.NewCompiler(s.schema)
	var errs []error
	compile := func(texts []string) (all []*filter.Expr) {
		for _, text := range texts {
			x, err := compiler.Compile(text)
			errs = append(errs, err)
			all = append(all, x)
		}
		return all
	}
	s.include, s.exclude = compile(flags.include), compile(flags.exclude)
	errs = append(errs, checkPairs("--label", flags.labels), checkPairs("--host-label", flags.hostLabels))
	for _, list := range flags.fields {
		for f := range strings.SplitSeq(list, ",") {
			s.fields = append(s.fields, strings.TrimSpace(f))
		}
	}
	errs = append(errs, s.schema.Check(s.fields...))
	for _, pair := range flags.headers {
		field, header, ok := strings.Cut(pair, "=")
		if !ok {
			errs = append(errs, agent.Errorf(agent.KindUsage, "--header %q is not of the form FIELD=LABEL", pair))
		}
		errs = append(errs, s.schema.Check(field))
		s.headers[field] = header
	}
	if flags.sort != "" {
		order, err := filter.ParseOrder(s.schema, flags.sort)
		s.order = order
		errs = append(errs, err)
	}
	if flags.limit < 0 {
		errs = append(errs, agent.Errorf(agent.KindUsage, "--limit %d is negative", flags.limit))
	}
	errs = append(errs, s.chooseTemplate(format))
	return s, cmp.Or(errs...)
}

// chooseTemplate makes one of --ids, --addrs or --format; they exclude each other and
// --fields.
func (s *selection) chooseTemplate(format string) error {
	var texts, names []string
	for _, c := range []struct {
		on         bool
		name, text string
	}{
		{s.flags.ids, "--ids", "{id}"},
		{s.flags.addrs, "--addrs", "{name}@{host.name}.{host.provider_name}"},
		{strings.Contains(format, "{"), "a template", format},
	} {
		if c.on {
			texts, names = append(texts, c.text), append(names, c.name)
		}
	}
	if len(texts) == 0 {
		return nil
	}
	if len(s.fields) > 0 {
		names = append(names, "--fields")
	}
	if format != string(output.Human) && (s.flags.ids || s.flags.addrs) {
		names = append(names, "--format "+format)
	}
	if len(names) > 1 {
		return agent.Errorf(agent.KindUsage, "%s and %s exclude each other", names[0], names[1])
	}
	t, err := output.ParseTemplate(texts[0])
	if err != nil {
		return err
	}
	s.template = &t
	return s.schema.Check(t.Fields()...)
}

func checkPairs(flag string, pairs []string) error {
	for _, p := range pairs {
		if key, _, ok := strings.Cut(p, "="); !ok || key == "" {
			return agent.Errorf(agent.KindUsage, "%s %q is not of the form KEY=VALUE", flag, p)
		}
	}
	return nil
}

// filtered tells whether rows may be left out.
func (s *selection) filtered() bool {
	f := s.flags
	return len(s.include)+len(s.exclude)+len(f.labels)+len(f.hostLabels)+f.limit > 0 || f.running || f.stopped || f.active
}

// pick returns the entries of a listing that are wanted, in order. warn is told once of
// every expression that cannot be evaluated.
func (s *selection) pick(f *fleet.Fleet, l fleet.Listing, warn func(error)) ([]entry, error) {
	all, err := entries(f, l)
	if err != nil {
		return nil, err
	}
	told := map[string]bool{}
	var wanted []entry
	for _, e := range all {
		ok, err := s.wants(e)
		if err != nil && !told[err.Error()] {
			told[err.Error()] = true
			warn(err)
		}
		if ok && err == nil {
			wanted = append(wanted, e)
		}
	}
	if s.order != nil {
		slices.SortStableFunc(wanted, func(a, b entry) int { return s.order.Compare(a.row, b.row) })
	}
	if s.flags.limit > 0 && len(wanted) > s.flags.limit {
		wanted = wanted[:s.flags.limit]
	}
	return wanted, nil
}

// wants decides about one entry. An expression that fails drops it.
func (s *selection) wants(e entry) (bool, error) {
	state := agent.Unknown
	if e.data != nil {
		state = e.data.State
	}
	switch {
	case s.flags.running && state != agent.Running && state != agent.Waiting,
		s.flags.stopped && state != agent.Stopped,
		s.flags.active && (e.host.State == agent.HostFailed || e.host.State == agent.HostEvicted || e.host.State == agent.HostDeleting),
		!hasPair(e.row.Get, "labels.", s.flags.labels), !hasPair(e.row.Get, "host.tags.", s.flags.hostLabels):
		return false, nil
	}
	for _, x := range s.include {
		if ok, err := x.Match(e.row); !ok || err != nil {
			return false, err
		}
	}
	for _, x := range s.exclude {
		if ok, err := x.Match(e.row); ok || err != nil {
			return false, err
		}
	}
	return true, nil
}

// hasPair tells whether one of the pairs is in a row; none wanted is fine.
func hasPair(get func(string) any, prefix string, pairs []string) bool {
	return len(pairs) == 0 || slices.ContainsFunc(pairs, func(p string) bool {
		key, value, _ := strings.Cut(p, "=")
		return get(prefix+key) == value
	})
}

// entries are the agents of a listing and then the hosts without any: what bills must be
// seen.
func entries(f *fleet.Fleet, l fleet.Listing) ([]entry, error) {
	var all []entry
	for _, r := range l.Rows {
		cost := l.Costs.Of(r.Host)
		data := newAgentRow(f, r, cost)
		row, err := newRow(data, f.Now())
		if err != nil {
			return nil, err
		}
		all = append(all, entry{row, &data, r.Host, cost})
	}
	for _, h := range l.Hosts {
		if len(h.Agents) > 0 {
			continue
		}
		cost := l.Costs.Of(h)
		row, err := newRow(struct {
			Host hostRow `json:"host"`
		}{newHostRow(f, h, cost)}, f.Now())
		if err != nil {
			return nil, err
		}
		all = append(all, entry{row, nil, h, cost})
	}
	return all, nil
}

// newRow adds what is computed: the ages, in seconds, and the names that the original has.
func newRow(data any, now time.Time) (filter.Row, error) {
	row, err := filter.RowOf(data)
	if err != nil {
		return nil, err
	}
	if host, ok := row["host"].(map[string]any); ok {
		host["provider"] = host["provider_name"]
	}
	since := func(key, path string) {
		text, _ := row.Get(path).(string)
		if t, err := time.Parse(time.RFC3339Nano, text); err == nil {
			row[key] = int64(now.Sub(t).Seconds())
		}
	}
	since("age", "host.created_at")
	since("age", "created_at")
	if row.Get("pid") != nil {
		since("runtime", "started_at")
	}
	left, ok1 := row.Get("host.idle.seconds_left").(int64)
	timeout, ok2 := row.Get("host.idle.timeout_seconds").(int64)
	if ok1 && ok2 {
		row["idle"] = timeout - left
	}
	if project := row.Get("labels.project"); project != nil {
		row["project"] = project
	}
	return row, nil
}
