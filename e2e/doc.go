// Package e2e runs the built program the way a user does, against the local Azure: one
// behaviour a script. Scripts in testdata/none need no machine that boots; those in
// testdata/docker get real ones.
package e2e
