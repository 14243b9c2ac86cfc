// Package keep is what this machine alone knows of hosts, in files under the user's base
// directory: creates that are not finished, and Spot hosts that Azure may forget.
//
// It is an adapter behind fleet's interfaces; only cli imports it.
package keep
