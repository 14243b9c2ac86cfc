// Package contract is a witness that is not ours: Microsoft's SDK drives the local Azure of
// the built mngr, of which it knows only what `mngr azure local status --format json` prints.
// The module is its own, so that two majors of each client can be asked: go.mod has the
// newest, previous.mod replaces them by the majors before (`make test-contract` runs both).
package contract
