package output

import (
	"io"
	"strings"

	"charm.land/lipgloss/v2"

	"mngr/internal/plain"
)

// Table is rows under a header. Cells are foreign text and are cleaned.
type Table struct {
	Header []string
	Rows   [][]string
}

const columnGap = "  "

// WriteTable writes aligned columns. On a terminal the widest cells are cut so that a
// row fits the width; elsewhere nothing is ever cut, and there is no colour.
func (p *Printer) WriteTable(w io.Writer, t Table) error {
	rows := make([][]string, 0, len(t.Rows)+1)
	rows = append(rows, t.Header)
	for _, r := range t.Rows {
		rows = append(rows, cleanAll(r))
	}
	widths := columnWidths(rows)
	if p.OutTTY {
		shrink(widths, p.Width())
	}
	var b strings.Builder
	for i, row := range rows {
		line := tableLine(row, widths)
		if i == 0 && p.OutTTY && p.Color {
			line = bold.Render(line)
		}
		b.WriteString(line + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// WriteLine writes one row of a table that never ends, so that nobody knows its widths.
func (p *Printer) WriteLine(w io.Writer, cells []string) error {
	_, err := io.WriteString(w, strings.Join(cleanAll(cells), columnGap)+"\n")
	return err
}

func cleanAll(cells []string) []string {
	clean := make([]string, len(cells))
	for i, c := range cells {
		clean[i] = plain.Escape(c)
	}
	return clean
}

func columnWidths(rows [][]string) []int {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], lipgloss.Width(cell))
		}
	}
	return widths
}

// shrink takes columns from the widest until all fit, but none below six.
func shrink(widths []int, total int) {
	sum := len(columnGap) * (len(widths) - 1)
	for _, w := range widths {
		sum += w
	}
	for ; sum > total; sum-- {
		widest := 0
		for i, w := range widths {
			if w > widths[widest] {
				widest = i
			}
		}
		if widths[widest] <= 6 {
			return
		}
		widths[widest]--
	}
}

func tableLine(row []string, widths []int) string {
	var b strings.Builder
	for i, cell := range row {
		cell = Truncate(cell, widths[i])
		b.WriteString(cell)
		if i < len(row)-1 {
			b.WriteString(strings.Repeat(" ", widths[i]-lipgloss.Width(cell)) + columnGap)
		}
	}
	return strings.TrimRight(b.String(), " ")
}

// Truncate cuts text to a number of terminal columns and marks the cut.
func Truncate(s string, columns int) string {
	if lipgloss.Width(s) <= columns {
		return s
	}
	const mark = "…"
	end, used := 0, lipgloss.Width(mark)
	for i, r := range s {
		used += lipgloss.Width(string(r))
		if used > columns {
			break
		}
		end = i + len(string(r))
	}
	return s[:end] + mark
}
