package hostsetup

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// curlOf answers the script's three questions from files and writes down what it is asked.
const curlOf = `#!/bin/sh
dir=${0%/*}
case "$*" in
*oauth2/token*) what=token ;;
*resourceId*) what=id ;;
*) what=arm; cat >"$dir/stdin"; printf '%s\n' "$@" >"$dir/args" ;;
esac
cat "$dir/$what"
printf '\n%s' "$(cat "$dir/$what.code")"
`

var (
	oneHeader = regexp.MustCompile(`^header = "Authorization: Bearer [A-Za-z0-9._~+/=-]+"\n$`)
	oneURL    = regexp.MustCompile(`^https://arm\.test/subscriptions/[A-Za-z0-9/_.()-]*\?api-version=[0-9-]+$`)
)

// Whatever the metadata service and ARM answer, the script that deallocates a machine sends
// its token to ARM only, in one header, says printable lines, and calls only 200 a yes.
func FuzzDeallocateAnswers(f *testing.F) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		f.Fatal(err)
	}
	const id = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/v"
	f.Add(`{"access_token":"a.b.c","expires_in":"1"}`, id, "HTTP/1.1 200 OK\r\n\r\n{}", uint16(200))
	f.Add(`{"access_token":"a\"\nurl = \"http://evil"}`, id, "", uint16(200))
	f.Add(`{"access_token":"a.b"}`, "/subscriptions/../../x?y=z#", "Retry-After: 99999999999999999999\r\n", uint16(429))
	f.Add(`{"access_token":"a.b"}`, id+"\n-o/etc/passwd", "Retry-After: 7\r\n\x1b[2J", uint16(403))
	f.Add("$(touch x)`touch y`", "%s%n", "'\"", uint16(500))
	f.Fuzz(func(t *testing.T, token, id, arm string, code uint16) {
		if strings.ContainsRune(token+id+arm, 0) {
			return // the shell drops them
		}
		dir := t.TempDir()
		status := strings.TrimSpace(string(rune('1'+code%9)) + "00")
		if code == 403 || code == 429 || code == 401 {
			status = map[uint16]string{401: "401", 403: "403", 429: "429"}[code]
		}
		for name, content := range map[string]string{"curl": curlOf, "token": token, "id": id, "arm": arm, "token.code": "200", "id.code": "200", "arm.code": status} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o700); err != nil {
				t.Fatal(err)
			}
		}
		cmd := exec.CommandContext(t.Context(), sh, "files/deallocate.sh", "check")
		cmd.Env = []string{"PATH=" + dir + ":" + os.Getenv("PATH"), "LC_ALL=C", "ARM_ENDPOINT=https://arm.test", "ARM_AUDIENCE=https://arm.test",
			"MNGR_RUN_DIR=" + dir, "MNGR_STATE_DIR=" + dir, "MNGR_SIGNAL_DIR=" + dir}
		out, err := cmd.Output()
		exit, failed := errors.AsType[*exec.ExitError](err)
		switch {
		case err == nil && status != "200":
			t.Errorf("HTTP %s is taken for a yes", status)
		case err != nil && (!failed || exit.ExitCode() > 2):
			t.Errorf("%v: %s", err, out)
		}
		for line := range strings.Lines(string(out)) {
			if line = strings.TrimSuffix(line, "\n"); len(line) > 400 || strings.ContainsFunc(line, func(r rune) bool { return r < ' ' || r > '~' }) {
				t.Errorf("says %q", line)
			}
		}
		args, err := os.ReadFile(filepath.Join(dir, "args"))
		if err != nil {
			return // nothing was asked of ARM
		}
		stdin, err := os.ReadFile(filepath.Join(dir, "stdin"))
		if err != nil || !oneHeader.Match(stdin) {
			t.Errorf("curl reads %q, %v", stdin, err)
		}
		words := strings.Split(strings.TrimSuffix(string(args), "\n"), "\n")
		if url := words[len(words)-1]; !oneURL.MatchString(url) {
			t.Errorf("asks %q", url)
		}
		if secret, _ := strings.CutPrefix(string(stdin), `header = "Authorization: `); strings.Contains(string(args), strings.TrimSuffix(secret, "\"\n")) {
			t.Errorf("the token is in the arguments: %q", args)
		}
	})
}
