// Package guest is the program mngrd: its verbs and how its parts are put together. Only
// cmd/mngrd imports it.
//
//	mngrd init   process 1 of the container (pid1), which runs the worker: the SSH server
//	             (sshd), the agents' supervisor (agents), the idle watcher (idle)
//	mngrd ctl    one request from mngr on standard input, one answer on standard output
//	mngrd vm     the virtual machine's side, in package vm
package guest
