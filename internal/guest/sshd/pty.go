package sshd

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strconv"

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
	master, slave, err = openTerminal()
	if err != nil {
		return nil, nil, fmt.Errorf("open a terminal: %w", err)
	}
	_ = resizePTY(master, r.size) // a terminal of another size is better than none
	if err := r.applyModes(slave); err != nil {
		master.Close()
		slave.Close()
		return nil, nil, err
	}
	return master, slave, nil
}

// openTerminal makes a pseudo-terminal (pty(7)). The master never blocks a thread, so that
// a read of it ends with its deadline and with its Close.
func openTerminal() (master, slave *os.File, err error) {
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("open /dev/ptmx: %w", err)
	}
	master = os.NewFile(uintptr(fd), "/dev/ptmx")
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0) // unlock the slave
	}
	if err == nil {
		slave, err = os.OpenFile("/dev/pts/"+strconv.Itoa(number), os.O_RDWR|unix.O_NOCTTY, 0)
	}
	if err != nil {
		master.Close()
		return nil, nil, err
	}
	return master, slave, nil
}

func resizePTY(master *os.File, w windowChange) error {
	return control(master, func(fd int) error {
		return unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{
			Col: clamp(w.Columns), Row: clamp(w.Rows), Xpixel: clamp(w.Width), Ypixel: clamp(w.Height),
		})
	})
}

// control calls f with the descriptor of a file that others may be closing: unlike
// os.File.Fd, which is not safe then and ends the file's deadlines.
func control(file *os.File, f func(fd int) error) error {
	raw, err := file.SyscallConn()
	if err != nil {
		return err
	}
	var ferr error
	err = raw.Control(func(fd uintptr) { ferr = f(int(fd)) })
	return errors.Join(err, ferr)
}

func clamp(n uint32) uint16 { return uint16(min(n, 0xffff)) }

func (r *ptyRequest) applyModes(slave *os.File) error {
	err := control(slave, func(fd int) error {
		t, err := unix.IoctlGetTermios(fd, unix.TCGETS)
		if err != nil {
			return err
		}
		setModes(t, r.modes)
		return unix.IoctlSetTermios(fd, unix.TCSETS, t)
	})
	if err != nil {
		return fmt.Errorf("set terminal modes: %w", err)
	}
	return nil
}
