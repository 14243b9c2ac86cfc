// Package dockerbuild is the user's side of an image that is built on a host's machine: it
// decides on the arguments of `docker build`, applies .dockerignore, and packs the build
// context into one stream.
//
// The machine never sees the user's paths: Dockerfile, ignore rules and secrets travel
// beside the context under fixed names, and the context holds exactly the files that docker
// would have read.
package dockerbuild
