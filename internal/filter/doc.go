// Package filter selects, orders and reads the rows of a listing: expressions of the
// Common Expression Language, dotted paths, and the schema that both are checked against
// before anybody is asked for rows.
//
// It does no I/O and knows nothing of agents: a row is what JSON makes of a value.
package filter
