// Package cli is the command line: one file a command, and the only place where the
// concrete types of the other packages meet. Reading app.go and wire.go is reading the
// wiring.
package cli
