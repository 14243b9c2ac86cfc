package sshd

import (
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// sftpArg makes this test program the SFTP server that sessions start.
const sftpArg = "serve-sftp-for-test"

func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == sftpArg {
		if err := ServeSFTP(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}
