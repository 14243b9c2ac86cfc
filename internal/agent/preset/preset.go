// Package preset is the table of coding agents that mngr knows how to install, start and
// resume, as data. The client validates `--type` with it and the guest runs it, so both
// may import it; it does no I/O.
package preset

import "slices"

// Preset is one coding agent.
type Preset struct {
	Name    string   // the agent type
	Process string   // its program; found on PATH means installed
	Needs   []string // programs, named as their packages are, that Install needs
	Install string   // line for /bin/sh, run where Process is missing
	Start   []string // argv; the user's own arguments follow
	Resume  []string // argv of every start after the first
}

var table = []Preset{
	{
		Name: "claude", Process: "claude",
		Needs: []string{"curl", "bash"}, Install: "curl -fsSL https://claude.ai/install.sh | bash",
		Start: []string{"claude"}, Resume: []string{"claude", "--continue"},
	},
	{
		Name: "codex", Process: "codex",
		Needs: []string{"npm"}, Install: "npm install --global @openai/codex",
		Start: []string{"codex"}, Resume: []string{"codex", "resume", "--last"},
	},
	{
		Name: "opencode", Process: "opencode",
		Needs: []string{"npm"}, Install: "npm install --global opencode-ai",
		Start: []string{"opencode"}, Resume: []string{"opencode", "--continue"},
	},
}

// Lookup finds a preset by its name.
func Lookup(name string) (Preset, bool) {
	i := slices.IndexFunc(table, func(p Preset) bool { return p.Name == name })
	if i < 0 {
		return Preset{}, false
	}
	return table[i], true
}

// Names returns the names of all presets, sorted.
func Names() []string {
	names := make([]string, len(table))
	for i, p := range table {
		names[i] = p.Name
	}
	slices.Sort(names)
	return names
}
