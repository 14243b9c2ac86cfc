package qmp

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serve answers each command of one client with the lines of answer, by name.
func serve(t *testing.T, greeting string, answer func(command string, arguments json.RawMessage) string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), strings.Repeat("long", 30), "s")
	dir := filepath.Dir(path)
	l, err := listen(t, dir)
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan struct{})
	go func() {
		defer close(served)
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		fmt.Fprint(conn, greeting)
		for in := bufio.NewScanner(conn); in.Scan(); {
			var c struct {
				Execute   string
				Arguments json.RawMessage
			}
			if err := json.Unmarshal(bytes.TrimLeft(in.Bytes(), "\xff"), &c); err != nil {
				fmt.Fprintf(conn, `{"error": {"class": "GenericError", "desc": %q}}`+"\n", err)
				continue
			}
			fmt.Fprint(conn, answer(c.Execute, c.Arguments))
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-served
	})
	return path
}

func TestExecute(t *testing.T) {
	path := serve(t, `{"QMP": {"version": {}, "capabilities": []}}`+"\n", func(command string, _ json.RawMessage) string {
		switch command {
		case "query-status":
			return `{"event": "RTC_CHANGE", "data": {}}` + "\n" + `{"return": {"status": "running"}}` + "\n"
		case "quit":
			return `{"error": {"class": "CommandNotFound", "desc": "The command quit has not been found"}}` + "\n"
		default:
			return `{"return": {}}` + "\n"
		}
	})
	conn, err := Dial(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	var status struct{ Status string }
	if err := conn.Execute("query-status", nil, &status); err != nil || status.Status != "running" {
		t.Errorf("status %q, %v", status.Status, err)
	}
	if refused, ok := errors.AsType[*Error](conn.Execute("quit", nil, nil)); !ok || refused.Class != "CommandNotFound" {
		t.Errorf("refusal %+v", refused)
	}
	if err := conn.Execute("system_powerdown", nil, nil); err != nil {
		t.Errorf("after a refusal: %v", err)
	}
}

// TestAgent has an answer in the line that an earlier client did not wait for.
func TestAgent(t *testing.T) {
	path := serve(t, `{"return": 4711}`+"\n", func(command string, arguments json.RawMessage) string {
		if command == "guest-sync-delimited" {
			var sync struct{ ID int64 }
			_ = json.Unmarshal(arguments, &sync)
			return fmt.Sprintf("\xff"+`{"return": 1}`+"\n\xff"+`{"return": %d}`+"\n", sync.ID)
		}
		return fmt.Sprintf(`{"return": {"pid": 7, "got": %s}}`+"\n", arguments)
	})
	conn, err := DialAgent(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	var out struct {
		PID int
		Got struct{ Path string }
	}
	if err := conn.Execute("guest-exec", map[string]string{"path": "true"}, &out); err != nil || out.PID != 7 || out.Got.Path != "true" {
		t.Errorf("%+v, %v", out, err)
	}
}

// TestSilence is an agent that never answers, as before a guest has booted.
func TestSilence(t *testing.T) {
	path := serve(t, "", func(string, json.RawMessage) string { return "" })
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if conn, err := DialAgent(ctx, path); err == nil {
		conn.Close()
		t.Error("a silent agent was reached")
	}
	if ctx.Err() == nil {
		t.Error("it was given up before its time")
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"return": {}}` + "\n"))
	f.Add([]byte(`{"event": "STOP"}` + "\n" + `{"error": {"class": "GenericError", "desc": "no"}}` + "\n"))
	f.Add([]byte("\xff\n{"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c := &Conn{in: bufio.NewReader(bytes.NewReader(data))}
		for range bytes.Count(data, []byte{'\n'}) + 1 {
			if _, err := c.read(); err == nil {
				continue
			}
		}
		if _, err := c.read(); err == nil {
			t.Error("a message after the last line")
		}
	})
}

func listen(t *testing.T, dir string) (net.Listener, error) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	t.Chdir(dir)
	return net.Listen("unix", "s")
}
