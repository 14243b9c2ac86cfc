// Package permission knows the rights that mngr's commands need at Azure, and writes them
// as role definitions. It is pure: whether the lists are exact is found out by a test that
// runs every command with these rights, and with each of them taken away.
//
// Its names and words go into docs/azure.md and into `mngr azure permissions`.
package permission
