// Package activity is the log of everything that was asked of a local Azure: who, what,
// with which outcome. It is a file that outlives the daemon, so that it can be read while
// the daemon runs and after it has ended.
//
// The front door, entra, imds and compute of internal/azlocal write it; its command reads it.
package activity
