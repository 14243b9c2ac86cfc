// Package network is the provider Microsoft.Network: virtual networks, subnets, network
// security groups and their rules, public IP addresses, network interfaces.
//
// internal/azlocal wires it; compute makes and removes the inline interfaces of machines
// through it.
package network
