// Package instance is the state directory of one local Azure: its ids, keys and
// certificates, and client.json, by which clients find it.
//
// Only internal/azlocal imports it.
package instance
