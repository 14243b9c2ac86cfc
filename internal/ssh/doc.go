// Package ssh reaches the two SSH servers of a host: sshd of the virtual machine and
// mngrd in its container. It makes keys, pins host keys, dials, runs commands and builds
// the command line of the system's ssh for people and for git.
//
// It imports only the words in internal/agent and knows nothing of agents' lives. There
// is no trust on first use: a host key comes from the provider's API or from a pin.
package ssh
