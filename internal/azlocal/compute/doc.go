// Package compute is the provider Microsoft.Compute: virtual machines and their power
// states, disks, sizes, quota and marketplace images. It is where ARM meets the drivers
// of machines.
//
// internal/azlocal wires it; imds reads machines through it.
package compute
