package contract

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
)

// difference is one between this Azure and the recordings. TestRecordings fails for one
// that is not here, and for one that is here and exists no longer. docs/azlocal.md has the
// same table.
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

const (
	windows   = "the recorded machine runs Windows, ours Linux"
	unmanaged = "the recorded disk is unmanaged, ours is managed"
	extension = "the recorded machine has an extension; these are not served"
	stripped  = "azure-cli's recorder, which this is from, strips it"
	newer     = "newer than the recorded version; here an old api-version shows what a new one does"
)

// In this order docs/azlocal.md has them.
var differences = []difference{
	{"vm.*", "-*windowsConfiguration*", windows},
	{"vm.*", "+*linuxConfiguration*", windows},
	{"vm.*", "-*osDisk.vhd*", unmanaged},
	{"vm.*", "+*osDisk.managedDisk*", unmanaged},
	{"vm.*", "-resources*", extension},
	{"vm.get.instanceview.stopped", "-*extension*", extension},
	{"vm.list.group.empty", "+x-ms-ratelimit-remaining-resource", "Azure leaves it out where a group has no machine"},
	{"vm.put.poll.inprogress", "-retry-after", "the first poll of a create says 50 seconds on Azure, nothing here"},
	{"vm.delete.poll.inprogress", "-retry-after", "the first poll of a delete says 30 seconds on Azure, nothing here"},
	{"vm.start", "+retry-after", stripped},
	{"vm.restart", "+retry-after", stripped},
	{"vm.deallocate", "+retry-after", stripped},
	{"vm.put.update_size", "+retry-after", stripped},
	{"vm.delete.2", "+retry-after", stripped},
	{"nic.*", "+properties.allowPort25Out", newer},
	{"nic.*", "+properties.disableTcpStateTracking", newer},
	{"nic.get.attached", "+kind", newer},
	{"nic.get.attached", "+properties.hostedWorkloads", newer},
	{"nic.get.attached", "+properties.nicType", newer},
	{"nic.get.attached", "+properties.tapConfigurations", newer},
	{"nic.get.attached", "+properties.vnetEncryptionSupported", newer},
}

var update = flag.Bool("update", false, "rewrite the table of differences in docs/azlocal.md")

// TestDifferencesPage holds the users' page against the table; `go test -run
// TestDifferencesPage -update .` writes it.
func TestDifferencesPage(t *testing.T) {
	t.Parallel()
	const path, begin, end = "../../docs/azlocal.md", "<!-- differences: begin -->\n", "<!-- differences: end -->"
	page := string(must[[]byte](t)(os.ReadFile(path)))
	before, rest, opened := strings.Cut(page, begin)
	_, after, closed := strings.Cut(rest, end)
	if !opened || !closed {
		t.Fatalf("%s lacks the marks %q and %q", path, begin, end)
	}
	var b strings.Builder
	b.WriteString("\n| recorded exchange | header or key | why |\n|---|---|---|\n")
	for _, d := range differences {
		sign := map[byte]string{'-': "lacks", '+': "has besides"}[d.what[0]]
		fmt.Fprintf(&b, "| `%s` | %s `%s` | %s |\n", d.ops, sign, d.what[1:], d.why)
	}
	want := before + begin + b.String() + "\n" + end + after
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if page != want {
		t.Errorf("%s is stale: go test -run TestDifferencesPage -update .", path)
	}
}
