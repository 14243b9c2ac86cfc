package git

import "testing"

// TestCauseOf wants what ssh said rather than git's advice about access rights.
func TestCauseOf(t *testing.T) {
	const advice = "fatal: Could not read from remote repository.\n\nPlease make sure you have the correct access rights\nand the repository exists.\n"
	for said, want := range map[string]string{
		"Connection reset by 127.1.2.3 port 2222\n" + advice: "Connection reset by 127.1.2.3 port 2222",
		advice: "the connection ended before the other side had answered",
		"error: unable to write\nerror: failed to push some refs to 'x'\n": "error: failed to push some refs to 'x'",
	} {
		if got := causeOf(said); got != want {
			t.Errorf("%q: %q, want %q", said, got, want)
		}
	}
}
