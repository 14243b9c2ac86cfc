package sshd

import "golang.org/x/sys/unix"

// controlChars maps opcodes of RFC 4254, 8 to places in c_cc.
var controlChars = map[uint8]int{
	1: unix.VINTR, 2: unix.VQUIT, 3: unix.VERASE, 4: unix.VKILL, 5: unix.VEOF, 6: unix.VEOL,
	7: unix.VEOL2, 8: unix.VSTART, 9: unix.VSTOP, 10: unix.VSUSP, 12: unix.VREPRINT,
	13: unix.VWERASE, 14: unix.VLNEXT, 18: unix.VDISCARD,
}

// inputFlags, localFlags and outputFlags map opcodes to bits of c_iflag, c_lflag, c_oflag.
var inputFlags = map[uint8]uint32{
	30: unix.IGNPAR, 31: unix.PARMRK, 32: unix.INPCK, 33: unix.ISTRIP, 34: unix.INLCR,
	35: unix.IGNCR, 36: unix.ICRNL, 37: unix.IUCLC, 38: unix.IXON, 39: unix.IXANY,
	40: unix.IXOFF, 41: unix.IMAXBEL, 42: unix.IUTF8, // 42: RFC 8160
}

var localFlags = map[uint8]uint32{
	50: unix.ISIG, 51: unix.ICANON, 52: unix.XCASE, 53: unix.ECHO, 54: unix.ECHOE,
	55: unix.ECHOK, 56: unix.ECHONL, 57: unix.NOFLSH, 58: unix.TOSTOP, 59: unix.IEXTEN,
	60: unix.ECHOCTL, 61: unix.ECHOKE, 62: unix.PENDIN,
}

var outputFlags = map[uint8]uint32{
	70: unix.OPOST, 71: unix.OLCUC, 72: unix.ONLCR, 73: unix.OCRNL, 74: unix.ONOCR, 75: unix.ONLRET,
}

// setModes writes a client's terminal modes into t; unknown ones are left out, as the RFC
// asks. A control character of 255 means "none".
func setModes(t *unix.Termios, modes map[uint8]uint32) {
	for op, value := range modes {
		if i, ok := controlChars[op]; ok {
			t.Cc[i] = byte(value) //nolint:gosec // control characters are bytes
			if value == 255 {
				t.Cc[i] = 0 // _POSIX_VDISABLE on Linux
			}
		}
		setFlag(&t.Iflag, inputFlags[op], value != 0)
		setFlag(&t.Lflag, localFlags[op], value != 0)
		setFlag(&t.Oflag, outputFlags[op], value != 0)
	}
}

func setFlag(flags *uint32, bit uint32, on bool) {
	if on {
		*flags |= bit
	} else {
		*flags &^= bit
	}
}
