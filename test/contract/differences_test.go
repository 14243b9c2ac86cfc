package contract

import (
	"regexp"
	"strings"
)

// difference is one between this Azure and the recordings. TestRecordings fails for one
// that is not here, and for one that is here and exists no longer. docs/azlocal.md tells
// the same to users.
type difference struct {
	ops  string // a pattern of ops
	what string // a pattern: -name of a header or path of a key is missing here, +name is not in the recording
	why  string
}

func (d difference) covers(op, what string) bool { return like(d.ops, op) && like(d.what, what) }

// like tells whether s matches a pattern in which * stands for anything.
func like(pattern, s string) bool {
	return regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(pattern), `\*`, ".*") + "$").MatchString(s)
}

var differences = []difference{
	{"vm.*", "-*windowsConfiguration*", "the recorded machine runs Windows"},
	{"vm.*", "+*linuxConfiguration*", "and ours Linux"},
	{"vm.*", "-*osDisk.vhd*", "the recorded disk is unmanaged, these are not served"},
	{"vm.*", "+*osDisk.managedDisk*", "and ours is managed"},
	{"vm.*", "-resources*", "the recorded machine has an extension, these are not served"},
	{"vm.get.instanceview.stopped", "-*extension*", "the same"},
	{"vm.list.group.empty", "+x-ms-ratelimit-remaining-resource", "Azure leaves it out where a group has no machine"},
	{"vm.put.poll.inprogress", "-retry-after", "Azure's first poll of a create says 50 seconds, ours nothing"},
	{"vm.delete.poll.inprogress", "-retry-after", "and of a delete 30"},
	{"vm.start", "+retry-after", "the recorder of azure-cli strips it"},
	{"vm.restart", "+retry-after", "the same"},
	{"vm.deallocate", "+retry-after", "the same"},
	{"vm.put.update_size", "+retry-after", "the same"},
	{"vm.delete.2", "+retry-after", "the same"},
	{"nic.*", "+properties.allowPort25Out", "newer than the recorded version; an old api-version shows what a new one does"},
	{"nic.*", "+properties.disableTcpStateTracking", "the same"},
	{"nic.get.attached", "+kind", "the same"},
	{"nic.get.attached", "+properties.hostedWorkloads", "the same"},
	{"nic.get.attached", "+properties.nicType", "the same"},
	{"nic.get.attached", "+properties.tapConfigurations", "the same"},
	{"nic.get.attached", "+properties.vnetEncryptionSupported", "the same"},
}
