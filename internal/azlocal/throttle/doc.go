// Package throttle counts requests as Azure does: token buckets that refill in steps.
//
// It knows the limits of ARM, of its providers and of the metadata service, and which of
// them an operation spends. What a refusal looks like is the business of those who serve.
package throttle
