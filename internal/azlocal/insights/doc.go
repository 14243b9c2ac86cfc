// Package insights is the part of Microsoft.Insights that the local Azure serves: the
// subscription's activity log, in which alone an evicted machine differs from one that its
// owner deallocated. The local Azure's server imports it.
package insights
