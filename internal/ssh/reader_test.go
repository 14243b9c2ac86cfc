package ssh

import (
	"context"
	"errors"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

// talkative is a server whose every command writes without end; ended is closed once its
// connection has.
func talkative(t *testing.T) (target Target, ended chan struct{}) {
	t.Helper()
	config, l, target := ownServer(t)
	ended = make(chan struct{})
	go func() {
		defer close(ended)
		tcp, err := l.Accept()
		if err != nil {
			return
		}
		_, channels, requests, err := ssh.NewServerConn(tcp, config)
		if err != nil {
			return
		}
		go ssh.DiscardRequests(requests)
		for offered := range channels {
			channel, requests, err := offered.Accept()
			if err != nil {
				return
			}
			go func() {
				for r := range requests {
					_ = r.Reply(true, nil) // signals are of no use with it
				}
			}()
			go func() {
				for err := error(nil); err == nil; {
					_, err = channel.Write(make([]byte, 1<<15))
				}
			}()
		}
	}()
	return target, ended
}

// leaving is a reader that goes after the first lines, such as head.
type leaving struct{ left int }

var errLeft = errors.New("the reader has left")

func (l *leaving) Write(b []byte) (int, error) {
	if l.left -= len(b); l.left < 0 {
		return 0, errLeft
	}
	return len(b), nil
}

// What a command writes into a pipe that nobody reads any more ends the command: it would
// wait for ever for somebody to take the rest, and keep its host up.
func TestACommandEndsWithItsReader(t *testing.T) {
	for name, command := range map[string]Command{
		"stdout": {Stdout: &leaving{left: 1 << 16}},
		"first":  {Stdout: &leaving{}},
	} {
		t.Run(name, func(t *testing.T) {
			key, err := Identity{Base: t.TempDir()}.Ensure("p")
			if err != nil {
				t.Fatal(err)
			}
			target, over := talkative(t)
			client, err := Dial(t.Context(), target, key)
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			ended := make(chan error, 1)
			go func() {
				command.Line = "yes"
				_, err := client.Run(context.WithoutCancel(t.Context()), command)
				ended <- err
			}()
			select {
			case err := <-ended:
				if !errors.Is(err, errLeft) {
					t.Errorf("got %v", err)
				}
			case <-time.After(30 * time.Second):
				t.Fatal("it runs on")
			}
			<-over
		})
	}
}
