// Package azlocal is Azure on this machine: an ARM and Entra server on loopback whose
// virtual machines really boot. It imports nothing else of ours, and only cmd/mngr
// imports it: it and internal/azure meet over HTTPS alone.
package azlocal
