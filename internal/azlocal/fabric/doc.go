// Package fabric holds the state of the local Azure: documents of resources, operations
// that run, and the switches for what nobody knows about the real one.
//
// One lock guards everything; a change is a transaction of the store, written before its
// answer is sent. The packages of resource providers (resources, network, compute, rbac)
// and the front door import it; it knows none of them.
package fabric
