// Package records is the codec between what must be known of a host and its agents and
// the tags of its virtual machine, which are the only database there is.
//
// It does no I/O. Azure allows 50 tags a resource, names of at most 512 and values of at
// most 256 characters (Microsoft, "Use tags to organize your Azure resources").
package records
