// Package git reads the repository a user stands in and pushes its current branch, with
// the git program. It knows nothing of agents.
package git
