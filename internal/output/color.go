package output

import "charm.land/lipgloss/v2"

// Colours only repeat what the words say.
var (
	red    = lipgloss.NewStyle().Bold(true).Foreground(lipgloss.Red)
	yellow = lipgloss.NewStyle().Bold(true).Foreground(lipgloss.Yellow)
	bold   = lipgloss.NewStyle().Bold(true)
)

// label renders a word for standard error.
func (p *Printer) label(word string, style lipgloss.Style) string {
	if p.Color && p.ErrTTY {
		return style.Render(word)
	}
	return word
}
