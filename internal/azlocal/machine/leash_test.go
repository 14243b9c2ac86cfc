package machine

import (
	"bufio"
	"bytes"
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestLeash ends a command with what it has started, in a session of its own even, and
// nothing else.
func TestLeash(t *testing.T) {
	mine, other := NewLeash(), NewLeash()
	start := func(l Leash) (ended chan struct{}) {
		cmd := exec.CommandContext(t.Context(), "sh", "-c", "setsid sh -c 'read line' & echo started; read line; wait")
		cmd.Env = append(os.Environ(), string(l))
		in, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		cmd.Stdout = w
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		w.Close()
		out := bufio.NewReader(r)
		if line, err := out.ReadString('\n'); err != nil || line != "started\n" {
			t.Fatalf("%q, %v", line, err)
		}
		ended = make(chan struct{})
		go func() {
			_, _ = out.ReadByte() // the end of the last process that can write
			_ = cmd.Wait()
			close(ended)
		}()
		t.Cleanup(func() {
			in.Close()
			<-ended
			r.Close()
		})
		return ended
	}
	left, ended := start(other), start(mine)
	over, cancel := context.WithCancel(t.Context())
	cancel()
	mine.Pull(over, func(ctx context.Context, argv []string) {
		if out, err := exec.CommandContext(ctx, argv[0], argv[1:]...).CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
	})
	<-ended
	select {
	case <-left:
		t.Error("another command ended too")
	default:
	}
}

// TestTail keeps the end of what is written, in pieces of any length, in bounded memory.
func TestTail(t *testing.T) {
	var tail Tail
	piece := []byte(strings.Repeat("0123456789", 100_003))
	var all []byte
	for range 60 {
		if n, err := tail.Write(piece); n != len(piece) || err != nil {
			t.Fatal(n, err)
		}
		all = append(all, piece...)
	}
	if !bytes.Equal(tail.Bytes(), all[len(all)-MaxOutput:]) || cap(tail.data) > 4*MaxOutput {
		t.Errorf("%d bytes in %d", len(tail.Bytes()), cap(tail.data))
	}
	if _, err := tail.Write(all); err != nil || !bytes.Equal(tail.Bytes(), all[len(all)-MaxOutput:]) {
		t.Errorf("one long piece: %d bytes, %v", len(tail.Bytes()), err)
	}
	short := Tail{}
	if _, err := short.Write([]byte("abc")); err != nil || string(short.Bytes()) != "abc" {
		t.Errorf("%q, %v", short.Bytes(), err)
	}
}
