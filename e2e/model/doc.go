// Package model says what mngr's commands do to a resource group, as a pure function, and
// holds the built program against it: random commands of three operators with faults, and
// all pairs of writing commands at the same moment.
//
// A command is a look at the world followed by writes. What two commands at once, or one
// that was cut short, may leave behind are all interleavings and all beginnings of their
// writes; what is then seen at Azure must be one of these worlds, and every operator's
// `mngr list` must say the same. It knows nothing of the project's packages but e2e/rig.
package model
