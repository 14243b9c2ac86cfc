// Package fault makes the local Azure hostile on demand: rules that say which requests
// meet trouble, which trouble, and how often, and a book that counts what was hit.
//
// The front door, the fabric, entra and imds of internal/azlocal import it.
package fault
