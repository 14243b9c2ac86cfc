//go:build linux

package azlocal

import (
	"errors"
	"strings"
	"testing"
)

func TestChoose(t *testing.T) {
	noDocker, noQEMU := errors.New("no Docker engine answers (start it)"), errors.New("packages are missing: apt-get install qemu-system-x86")
	for name, c := range map[string]struct {
		docker, qemu error
		want, why    string
	}{
		"both":       {nil, nil, "docker", "a Docker engine answers"},
		"docker":     {nil, noQEMU, "docker", "a Docker engine answers"},
		"qemu alone": {noDocker, nil, "qemu", "no Docker engine answers, QEMU is installed"},
	} {
		got, why, err := choose(c.docker, func() error { return c.qemu })
		if err != nil || got != c.want || why != c.why {
			t.Errorf("%s: %q because %q, %v", name, got, why, err)
		}
	}
	_, _, err := choose(noDocker, func() error { return noQEMU })
	problem, ok := errors.AsType[*Problem](err)
	if !ok {
		t.Fatalf("neither: %v", err)
	}
	for _, want := range []string{noDocker.Error(), noQEMU.Error(), "--driver none"} {
		if !strings.Contains(problem.Error(), want) {
			t.Errorf("%q lacks %q", problem.Error(), want)
		}
	}
}

func TestDriverNote(t *testing.T) {
	for want, st := range map[string]Status{
		"driver none": {},
		"driver qemu: kvm; chosen because no Docker engine answers": {DriverNote: note("kvm", "no Docker engine answers")},
		"driver qemu: emulated: no KVM":                             {DriverNote: note("emulated: no KVM", "")},
		"driver docker: chosen because a Docker engine answers":     {DriverNote: note("", "a Docker engine answers")},
	} {
		st.Driver = strings.TrimSuffix(strings.Fields(want)[1], ":")
		if got := st.driver(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
