// Package agent holds the words that every other package speaks: agents, hosts,
// ids, names, addresses, states, labels and error kinds.
//
// It does no I/O and imports nothing of ours, so anything may import it.
package agent
