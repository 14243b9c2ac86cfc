package azlocal

import (
	"fmt"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"mngr/internal/azlocal/doc"
)

// maxPerMachine is how many bytes of memory a machine with its interface, address, disk
// and operations may take, the documents looked at last included, which are the greater
// part of it with a thousand machines and a small one with ten thousand.
const maxPerMachine = 24 << 10

// TestMemory holds the memory of a machine in bounds, by the heap before and after a
// thousand of them. Where all documents stay decoded it takes several times as much.
func TestMemory(t *testing.T) {
	l := startLocal(t, nil)
	c := newCaller(t, l.inst)
	c.prepare()
	const few, count = 50, 1000
	c.create(0, few, 10)
	before := heap()
	c.create(few, count, 10)
	if rows, _ := c.walk(); rows != few+count {
		t.Fatalf("%d machines are listed, want %d", rows, few+count)
	}
	c.checkRows(t)
	each := (heap() - before) / count
	t.Logf("%d bytes a machine", each)
	if each > maxPerMachine {
		t.Errorf("a machine takes %d bytes of memory, more than %d", each, maxPerMachine)
	}
}

// heap is how many bytes are in use.
func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// checkRows wants machines in a list as a GET shows them, but for the group in capitals. Of
// the many of TestMemory those that the list meets are in the store alone.
func (c *caller) checkRows(t *testing.T) {
	t.Helper()
	for _, version := range []string{computeVersion, "?api-version=2025-04-01"} { // without and with an etag
		rows := rowsOf(t, c.must("GET", c.group()+"/providers/Microsoft.Compute/virtualMachines"+version, nil))
		for n := range 20 {
			name := fmt.Sprintf("mngr-agent-%05d", n)
			one, err := doc.Parse(c.must("GET", c.vm(name)+version, nil))
			if err != nil {
				t.Fatal(err)
			}
			one["id"] = strings.Replace(one.Str("id"), "/scale/", "/SCALE/", 1)
			if !reflect.DeepEqual(rows[name], one) {
				t.Errorf("the list shows %v\nwant %v", rows[name], one)
			}
		}
	}
}

func rowsOf(t *testing.T, data []byte) map[string]doc.Object {
	t.Helper()
	list, err := doc.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]doc.Object{}
	for _, row := range list.List("value") {
		rows[row.Str("name")] = row
	}
	return rows
}
