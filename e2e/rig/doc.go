// Package rig drives the built mngr for tests: a local Azure of its own in a temporary
// directory, with settings and faults over its control socket, and operators, each with a
// home of their own, whose commands run with a deadline and can be killed.
//
// Tests below e2e import it. It knows nothing of the project's packages: what it reads is
// what users and clients of the local Azure read.
package rig
