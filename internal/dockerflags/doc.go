// Package dockerflags takes the command lines of `docker run` and `docker build` apart the
// way docker's own parser does, so that somebody can decide on each flag. It knows which
// flags take a value and judges none of them.
package dockerflags
