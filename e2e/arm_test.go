package e2e

import (
	"context"
	"os"
	"strconv"

	"github.com/rogpeppe/go-internal/testscript"

	"mngr/e2e/rig"
)

// arm STATUS METHOD PATH [FILE] sends a request to the local Azure as the principal of
// $MNGR_AZLOCAL_DIR, with the contents of FILE, and wants a status. /SUB in both is the
// subscription's scope. The answer is in the file "answer".
func armRequest(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 || len(args) > 4 {
		ts.Fatalf("usage: arm STATUS METHOD PATH [FILE]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	c, err := rig.NewClient(context.Background(), ts.Getenv("MNGR_AZLOCAL_DIR"))
	ts.Check(err)
	defer c.Close()
	body := ""
	if len(args) == 4 {
		body = ts.ReadFile(args[3])
	}
	status, answer, err := c.Do(context.Background(), args[1], args[2], []byte(body))
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs("answer"), answer, 0o600))
	if status != want {
		ts.Fatalf("%s %s: status %d, want %d: %s", args[1], args[2], status, want, answer)
	}
}
