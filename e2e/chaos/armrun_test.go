package chaos

import (
	"slices"
	"testing"
)

// A poll more or less is chance, a write more or less is not.
func TestCallsThatTwoRunsHaveInCommon(t *testing.T) {
	read := func(n int) call { return call{operation: "read", nth: n} }
	write := func(n int) call { return call{operation: "write", nth: n, write: true} }
	short, long := []call{read(1), write(1)}, []call{read(1), read(2), write(1), read(3)}
	for _, c := range [][2][]call{{short, long}, {long, short}} {
		got, err := common(slices.Clone(c[0]), c[1])
		if err != nil || !slices.Equal(got, short) {
			t.Errorf("got %+v, %v", got, err)
		}
	}
	if _, err := common(short, append(long, write(2))); err == nil {
		t.Error("another write in the second run: no error")
	}
}
