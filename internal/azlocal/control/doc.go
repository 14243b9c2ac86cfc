// Package control is the private line between the daemon of the local Azure and its
// command: HTTP on a Unix socket that only its owner can open.
//
// Only internal/azlocal imports it.
package control
