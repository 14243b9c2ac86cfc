package azlocal

import (
	"runtime"
	"testing"
)

// maxPerMachine is how many bytes of memory a machine with its interface, address, disk
// and operations may take, the documents looked at last included, which are the greater
// part of it with a thousand machines and a small one with ten thousand.
const maxPerMachine = 24 << 10

// TestMemory holds the memory of a machine in bounds, by the heap before and after a
// thousand of them. Where all
// documents stay decoded it takes several times as much.
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
