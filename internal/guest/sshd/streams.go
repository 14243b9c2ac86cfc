package sshd

import (
	"errors"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/sys/unix"
)

type channel = ssh.Channel

// linger is how long output may still come after the command has ended while somebody
// else (a background child) holds the pipe. It delays only such sessions: otherwise the
// end of the pipe is seen at once.
const linger = 250 * time.Millisecond

// pipeSize is the most that a pipe of default size holds (pipe(7)).
const pipeSize = 64 << 10

// output is one stream from the command to the client.
type output struct {
	from *os.File
	to   func(channel) io.Writer
}

func stdout(ch channel) io.Writer { return ch }
func stderr(ch channel) io.Writer { return ch.Stderr() }

// streams are the files between a channel and a command.
type streams struct {
	files   []*os.File // all of them
	theirs  []*os.File // the command's ends, not ours once it has started
	in      *os.File
	master  *os.File // of the terminal; nil for pipes
	outputs []output
	once    sync.Once
}

func (st *streams) started() {
	for _, f := range st.theirs {
		f.Close()
	}
}

func (st *streams) closeAll() {
	st.once.Do(func() {
		for _, f := range st.files {
			f.Close()
		}
	})
}

// ending is called when the command has ended: what it wrote is still in the pipes.
func (st *streams) ending() {
	deadline := time.Now().Add(linger)
	for _, o := range st.outputs {
		o.from.SetReadDeadline(deadline)
	}
}

// copyInput passes the client's input on, and its end if there is a pipe to close; a
// terminal has no such end, and programs there read on, as under sshd. What a command
// does not want is thrown away, so that the client can finish writing.
func (st *streams) copyInput(ch channel) {
	_, err := io.Copy(st.in, ch)
	if st.master == nil {
		st.in.Close()
	}
	if err != nil {
		ch.SendRequest("eow@openssh.com", false, nil)
		io.Copy(io.Discard, ch)
	}
}

// copyOutput returns when all streams have ended.
func (st *streams) copyOutput(ch channel) {
	var all sync.WaitGroup
	for _, o := range st.outputs {
		all.Go(func() {
			pump(o.to(ch), o.from)
			o.from.Close() // a command that writes on gets SIGPIPE
		})
	}
	all.Wait()
}

// pump copies from r until its end, an error of w, or r's deadline; after that, what is
// there already.
func pump(w io.Writer, r *os.File) {
	buf := make([]byte, 32<<10)
	for {
		n, err := r.Read(buf)
		if _, werr := w.Write(buf[:n]); werr != nil {
			return
		}
		if errors.Is(err, os.ErrDeadlineExceeded) {
			drain(w, r, buf)
			return
		}
		if err != nil { // io.EOF, or EIO of a terminal that nobody holds open
			return
		}
	}
}

// drain copies what is in the pipe now and no more, for a background child may write
// without end. A passed deadline makes Read fail, hence the system call.
func drain(w io.Writer, r *os.File, buf []byte) {
	raw, err := r.SyscallConn()
	if err != nil {
		return
	}
	for total := 0; total < pipeSize; {
		n := 0
		raw.Control(func(fd uintptr) { n, err = unix.Read(int(fd), buf) })
		if n <= 0 || err != nil {
			return
		}
		if _, err := w.Write(buf[:n]); err != nil {
			return
		}
		total += n
	}
}

// waitWithoutReaping returns when the child has ended and leaves it a zombie.
func waitWithoutReaping(pid int) {
	for unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil) == unix.EINTR {
	}
}
