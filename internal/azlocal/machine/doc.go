// Package machine says what a virtual machine of the local Azure is, and how a driver
// makes one. Drivers: none (no guest), docker (systemd, sshd, cloud-init and a Docker
// engine of its own in a container), qemu (the same in a full virtual machine).
//
// Only internal/azlocal imports it.
package machine
