// Package plain makes text that others wrote fit for a terminal: machines, containers,
// tags and Azure's answers may say anything.
package plain
