// Package rbac is the provider Microsoft.Authorization: role definitions, role
// assignments, and the decision whether a principal may do an action at a scope.
//
// internal/azlocal wires it; compute asks it to clean up after machines.
package rbac
