// Package azlocal is Azure on this machine: an ARM and Entra server on loopback whose
// virtual machines really boot. It imports nothing else of ours, and only cmd/mngr
// imports it: it and internal/azure meet over HTTPS alone.
//
// Where things are: front (tokens, rights, headers), arm (the protocol), fabric (state
// and operations), resources, network, compute and rbac (the resource providers; a
// machine's power state is compute/powerstate.go), entra, imds, machine (the drivers),
// instance (the state directory), control (the socket of `status`), store (the log on disk).
package azlocal
