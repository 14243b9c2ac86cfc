// Package idle decides that a host is idle, and says so to the virtual machine: Decide is
// the rule, Meter remembers activity, Watcher asks every few seconds and writes the file
// upon which the virtual machine deallocates itself.
//
// All times are compared by the monotonic clock: a jump of the wall clock makes no host
// idle and keeps none up. Only the guest program imports this package.
package idle
