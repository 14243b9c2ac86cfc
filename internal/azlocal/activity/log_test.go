package activity

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// TestRead wants what was added, without a line that was cut short and what is not asked for.
func TestRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), FileName)
	if all, err := Read(path, func(Entry) bool { return true }); err != nil || all == nil || len(all) != 0 {
		t.Fatalf("no log: %v, %v", all, err)
	}
	l, err := Open(path, Limit)
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

// TestTurn fills files, and wants the last two to be read as one and followed without a
// gap while they change.
func TestTurn(t *testing.T) {
	path := filepath.Join(t.TempDir(), FileName)
	l, err := Open(path, 1000)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	seen, ended := make(chan Entry, 100), make(chan error, 1)
	go func() {
		ended <- Follow(ctx, path, time.Millisecond, func(e Entry) error { seen <- e; return nil })
	}()
	const many = 50
	for i := range many {
		if err := l.Add(Entry{Operation: fmt.Sprint("operation ", i), Method: "GET", Status: 200}); err != nil {
			t.Fatal(err)
		}
		if e := <-seen; e.Operation != fmt.Sprint("operation ", i) {
			t.Fatalf("followed: %s, want %d", e.Operation, i)
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	all, err := Read(path, Entry.ARM)
	if err != nil || len(all) < 8 || len(all) > 40 || all[len(all)-1].Operation != fmt.Sprint("operation ", many-1) {
		t.Fatalf("%d entries, %v", len(all), err)
	}
	for i, e := range all {
		if want := fmt.Sprint("operation ", many-len(all)+i); e.Operation != want {
			t.Fatalf("entry %d: %s, want %s", i, e.Operation, want)
		}
	}
	for _, name := range []string{path, path + older} {
		if info, err := os.Stat(name); err != nil || info.Size() > 1000 || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
}

// TestTrouble tells what went wrong from what did not.
func TestTrouble(t *testing.T) {
	for want, all := range map[bool][]Entry{
		false: {{Method: "GET", Status: 200}, {Method: "PUT", Status: 202}, {Ended: Succeeded}, {Method: "PUT", Status: 201, Ended: Succeeded}, {Operation: "EvictSpotVM", Status: 202}},
		true:  {{Method: "GET", Status: 404}, {Method: "PUT"}, {Ended: Failed}, {Method: "PUT", Status: 201, Ended: Failed}, {Ended: Canceled}},
	} {
		for _, e := range all {
			if e.Trouble() != want {
				t.Errorf("%+v: trouble %v", e, !want)
			}
		}
	}
}

// TestRequests puts the end of an operation into its request, wherever in the file it is,
// and leaves alone the end of one that nobody asked for.
func TestRequests(t *testing.T) {
	path := filepath.Join(t.TempDir(), FileName)
	l, err := Open(path, Limit)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, e := range []Entry{
		{Operation: "quick", ID: "1", Ended: Succeeded, EndedMS: 5}, {Operation: "quick", Method: "PUT", Status: 201, ID: "1"},
		{Operation: "slow", Method: "PUT", Status: 201, ID: "2"}, {Operation: "read", Method: "GET", Status: 200},
		{Operation: "part", ID: "3", Ended: Failed, EndedCode: "Conflict"}, {Operation: "slow", ID: "2", Ended: Canceled, EndedCode: "OperationPreempted"},
	} {
		if err := l.Add(e); err != nil {
			t.Fatal(err)
		}
	}
	all, err := Requests(path, func(Entry) bool { return true })
	if err != nil {
		t.Fatal(err)
	}
	got := ""
	for _, e := range all {
		got += fmt.Sprintf("%s %s %s %s %g\n", e.Operation, e.Method, e.Ended, e.EndedCode, e.EndedMS)
	}
	if want := "quick PUT Succeeded  5\nslow PUT Canceled OperationPreempted 0\nread GET   0\npart  Failed Conflict 0\n"; got != want {
		t.Errorf("got:\n%s", got)
	}
}

// TestLongRequest writes what anyone may send without a token, and wants the log to stay
// readable and its history to stay where it is.
func TestLongRequest(t *testing.T) {
	path := filepath.Join(t.TempDir(), FileName)
	l, err := Open(path, Limit)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	long := "/é" + strings.Repeat("&", 600<<10)
	for _, e := range []Entry{{Operation: "before"}, {Operation: "GET " + long, Path: long, Resource: long, Status: 401}, {Operation: "after", Path: "/short"}} {
		if err := l.Add(e); err != nil {
			t.Fatal(err)
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Size() > 64<<10 {
		t.Errorf("the log has %d bytes, %v", info.Size(), err)
	}
	all, err := Read(path, func(Entry) bool { return true })
	if err != nil || len(all) != 3 || all[1].Path != long[:maxField] || all[1].Status != 401 || all[2].Path != "/short" {
		t.Errorf("read: %d entries, %v", len(all), err)
	}
	if cut := clip(strings.Repeat("é", maxField)+"e", maxField-1); !utf8.ValidString(cut) || len(cut) != maxField-2 {
		t.Errorf("cut within a letter: %d bytes, %q at the end", len(cut), cut[len(cut)-2:])
	}
}

// TestOverlongLine wants a line that an older version wrote to be left out, and the ones
// around it to be read and followed.
func TestOverlongLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), FileName)
	text := fmt.Sprintf("{\"operation\":\"one\"}\n{\"operation\":%q}\n{\"operation\":\"two\"}\n", strings.Repeat("x", 2*maxLine))
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	all, err := Read(path, func(Entry) bool { return true })
	if err != nil || len(all) != 2 || all[0].Operation != "one" || all[1].Operation != "two" {
		t.Errorf("read: %d entries, %v", len(all), err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var followed []string
	err = Follow(ctx, path, time.Millisecond, func(e Entry) error {
		if followed = append(followed, e.Operation); e.Operation == "two" {
			cancel()
		}
		return nil
	})
	if err != nil || !slices.Equal(followed, []string{"one", "two"}) {
		t.Errorf("followed: %d entries, %v", len(followed), err)
	}
}
