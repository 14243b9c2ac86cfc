// Package graph is Microsoft Graph as far as command lines need it that assign roles: it
// finds service principals and machines' identities by name and id. It has no users and
// no groups, and nothing can be written.
//
// Only internal/azlocal's front door imports it.
package graph
