// Package vm is mngrd's side on the virtual machine: it sets the host's one container up,
// keeps it running from boot to shutdown and answers for it.
//
// cmd/mngrd hands it the verb `vm` and the host.* operations of `mngrd ctl`. Everything that
// comes out of the container, or of an image, is hostile input here.
package vm
