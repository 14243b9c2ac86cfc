package sshd

import (
	"net"
	"os"
	"path/filepath"
	"strings"
)

// resolve returns the argv to execute and the zeroth argument that the program sees.
func (p program) resolve(env []string) (argv []string, arg0 string) {
	switch {
	case p.argv != nil:
		return p.argv, p.argv[0]
	case p.shell:
		sh := Shell(lookup(env, "PATH"))
		return []string{sh}, "-" + filepath.Base(sh) // a login shell
	}
	return []string{"/bin/sh", "-c", p.line}, "sh"
}

// Shell returns the interactive shell of the image: bash where there is one, else sh.
func Shell(path string) string {
	for _, name := range []string{"bash", "sh"} {
		for dir := range strings.SplitSeq(path, ":") {
			file := filepath.Join(dir, name)
			if info, err := os.Stat(file); filepath.IsAbs(dir) && err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
				return file
			}
		}
	}
	return "/bin/sh"
}

func splitAddr(a net.Addr) (host string, port int) {
	if t, ok := a.(*net.TCPAddr); ok {
		return t.IP.String(), t.Port
	}
	return "UNKNOWN", 0
}
