// Package resources is what ARM answers itself: subscriptions, tenants, locations,
// resource providers, resource groups, lists of all resources, and tags at a scope.
//
// internal/azlocal wires it.
package resources
