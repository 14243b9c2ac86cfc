// Package hostsetup says what a bare Debian machine is told to become: its cloud-init user
// data with our scripts and systemd units, and the command line of its one container.
//
// It is pure: bytes in, bytes out, no files and no network. fleet uses it to make a host,
// guest/vm to run the container; files/ holds what ends up on the machine.
package hostsetup
