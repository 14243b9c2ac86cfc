// Package shell writes and reads words of POSIX sh.
package shell
