// Package output is how mngr speaks: results on standard output in one of three formats,
// everything else on standard error.
//
// It owns what a terminal sees. Text that comes from outside (names, log lines, errors of
// a guest) passes Clean on its way to a table, a note or an error, so that an agent cannot
// send escape sequences to a user's terminal. Package cli is its only user; fleet reports
// through agent.Progress, which Progress.Phase satisfies.
package output
