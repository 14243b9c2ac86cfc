package sshd

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"

	"github.com/creack/pty"
	"golang.org/x/crypto/ssh"
	"golang.org/x/sys/unix"
)

// ptyRequest is a client's wish for a terminal (RFC 4254, 6.2).
type ptyRequest struct {
	term  string
	size  windowChange
	modes map[uint8]uint32
}

func parsePTY(payload []byte) (*ptyRequest, error) {
	var m struct {
		Term                         string
		Columns, Rows, Width, Height uint32
		Modes                        string
	}
	if err := ssh.Unmarshal(payload, &m); err != nil {
		return nil, fmt.Errorf("read pty-req: %w", err)
	}
	if len(m.Term) > 128 {
		return nil, errors.New("read pty-req: terminal name too long")
	}
	return &ptyRequest{
		term:  m.Term,
		size:  windowChange{m.Columns, m.Rows, m.Width, m.Height},
		modes: parseModes([]byte(m.Modes)),
	}, nil
}

// parseModes reads the encoded terminal modes (RFC 4254, 8): pairs of an opcode and a
// 32-bit value, ended by opcode 0 or by one from 160 on, whose length nobody knows.
func parseModes(b []byte) map[uint8]uint32 {
	modes := make(map[uint8]uint32)
	for len(b) >= 5 && b[0] != 0 && b[0] < 160 {
		modes[b[0]] = binary.BigEndian.Uint32(b[1:])
		b = b[5:]
	}
	return modes
}

// open makes the terminal. The master's reads honour deadlines.
func (r *ptyRequest) open() (master, slave *os.File, err error) {
	master, slave, err = pty.Open()
	if err != nil {
		return nil, nil, fmt.Errorf("open a terminal: %w", err)
	}
	resizePTY(master, r.size)
	if err := r.applyModes(slave); err != nil {
		master.Close()
		slave.Close()
		return nil, nil, err
	}
	return master, slave, nil
}

func resizePTY(master *os.File, w windowChange) error {
	return pty.Setsize(master, &pty.Winsize{
		Cols: clamp(w.Columns), Rows: clamp(w.Rows), X: clamp(w.Width), Y: clamp(w.Height),
	})
}

func clamp(n uint32) uint16 { return uint16(min(n, 0xffff)) }

func (r *ptyRequest) applyModes(slave *os.File) error {
	raw, err := slave.SyscallConn()
	if err != nil {
		return fmt.Errorf("set terminal modes: %w", err)
	}
	var ioctlErr error
	err = raw.Control(func(fd uintptr) {
		t, err := unix.IoctlGetTermios(int(fd), unix.TCGETS)
		if err != nil {
			ioctlErr = err
			return
		}
		setModes(t, r.modes)
		ioctlErr = unix.IoctlSetTermios(int(fd), unix.TCSETS, t)
	})
	if err := errors.Join(err, ioctlErr); err != nil {
		return fmt.Errorf("set terminal modes: %w", err)
	}
	return nil
}
