package machine

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// MaxOutput is how many bytes of each stream of a command a driver keeps.
const MaxOutput = 16 << 20

// leashTime is how long to try to end a command: its machine may be on its way out.
const leashTime = 20 * time.Second

// Leash is a variable in the environment of a command in a guest, "NAME=value", by which
// the command and all that it has started are found again.
type Leash string

// NewLeash returns one that no other command has.
func NewLeash() Leash { return Leash("AZLOCAL_COMMAND=" + uuid.NewString()) }

// Pull ends what is still on the leash, with a command that run hands to the guest, after
// the time of the command itself has run out.
func (l Leash) Pull(ctx context.Context, run func(ctx context.Context, argv []string)) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leashTime)
	defer cancel()
	run(ctx, l.end())
}

// end goes over all processes until none is left: one may start another meanwhile.
func (l Leash) end() []string {
	const script = `while :; do found=
for p in /proc/[0-9]*; do
	if grep -qsxzF -- "$1" "$p/environ" && kill -KILL "${p#/proc/}" 2>/dev/null; then found=1; fi
done
[ "$found" ] || exit 0; done`
	return []string{"/bin/sh", "-c", script, "end", string(l)}
}

// Tail is what was written last, MaxOutput bytes at the most.
type Tail struct{ data []byte }

// Write keeps the end of what it is given and forgets the beginning.
func (t *Tail) Write(p []byte) (int, error) {
	t.data = append(t.data, p[max(0, len(p)-MaxOutput):]...)
	if len(t.data) > 2*MaxOutput {
		t.data = t.data[:copy(t.data, t.Bytes())]
	}
	return len(p), nil
}

// Bytes is what is kept.
func (t *Tail) Bytes() []byte { return t.data[max(0, len(t.data)-MaxOutput):] }
