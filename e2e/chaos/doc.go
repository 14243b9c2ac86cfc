// Package chaos proves by force that nothing leaks: it records the requests that each
// writing command of mngr sends to ARM when nothing goes wrong, then runs the command again
// for every one of them and every kind of trouble, and looks at what is left.
//
// Its tests are `make chaos`; a bounded choice of them is part of `make test`.
package chaos
