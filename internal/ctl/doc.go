// Package ctl holds the words between mngr and its guest mngrd: one JSON request on
// standard input, one JSON answer on standard output, progress lines on standard error.
//
// It does no I/O. Both sides import it; everything in an Answer from a container is
// hostile input to the side that reads it.
package ctl
