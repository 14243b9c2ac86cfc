// Package journal is the log of the writes that mngr asks Azure for: what one line of it
// says, and a file to which processes append side by side and which one command reads.
//
// It knows neither Azure nor the command line. internal/azure fills entries in, internal/cli
// keeps and shows them.
package journal
