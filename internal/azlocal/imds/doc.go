// Package imds is the instance metadata service of a machine: who am I, a token of my
// identity, scheduled events. It is plain HTTP on a link-local address inside the machine.
//
// internal/azlocal hands its handler to the drivers of machines.
package imds
