// Package front is the front door of the local Azure: it takes HTTPS requests, checks
// token, api-version and rights, finds the route and writes the answer with the headers
// that every answer of ARM has.
//
// Only internal/azlocal imports it.
package front
