package activity

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestRead wants what was added, without a line that was cut short and what is not asked for.
func TestRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), FileName)
	if all, err := Read(path, func(Entry) bool { return true }); err != nil || all == nil || len(all) != 0 {
		t.Fatalf("no log: %v, %v", all, err)
	}
	l, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	began := time.Unix(1000, 0).UTC()
	for i, e := range []Entry{
		{Operation: "Microsoft.Compute/virtualMachines/read", Method: "GET"},
		{Operation: "Microsoft.Compute/virtualMachines/write", Method: "PUT", Status: 403},
		{Operation: "Microsoft.Resources/tags/write", Method: "PATCH"},
		{Operation: "Microsoft.Compute/virtualMachines/start/action", Method: "POST"},
		{Operation: "Microsoft.Compute/virtualMachines/delete", Method: "DELETE"},
		{Operation: "entra:token", Method: "POST"},
		{Operation: "imds:/metadata/scheduledevents", Method: "POST"},
		{Operation: "EvictSpotVM"},
	} {
		e.Time = began.Add(time.Duration(i) * time.Second)
		if err := l.Add(e); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(`{"time":"2026-`); err != nil {
		t.Fatal(err)
	}
	f.Close()
	all, err := Read(path, func(Entry) bool { return true })
	if err != nil || len(all) != 8 || !all[7].Time.Equal(began.Add(7*time.Second)) {
		t.Fatalf("%d entries, %v", len(all), err)
	}
	writes, err := Read(path, Entry.Write)
	if err != nil || len(writes) != 4 || writes[0].Status != 403 {
		t.Fatalf("writes: %+v, %v", writes, err)
	}
}
