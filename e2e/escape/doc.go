// Package escape tries to leave the container of a host: the ways that an agent, who is
// root there, would try. It is sent into a container and onto its machine by the end-to-end
// tests, and is in no program that users have.
//
// Each way is tried three times in one run: in the container, where it must be blocked, and
// where it must work, since a way that works nowhere shows nothing: on the machine itself,
// or in the container while the machine's guard is down. It imports nothing of ours.
package escape
