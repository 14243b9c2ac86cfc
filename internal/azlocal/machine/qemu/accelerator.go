package qemu

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"time"

	"mngr/internal/azlocal/machine/guestimage"
	"mngr/internal/azlocal/machine/hostcmd"
)

// accelerator is what a guest's instructions run on.
type accelerator struct {
	Name string `json:"name"`          // QEMU's: "kvm" or "tcg"
	Why  string `json:"why,omitempty"` // it is not KVM
	Boot string `json:"boot_id"`       // of the computer, when this was found out
}

// String is for people.
func (a accelerator) String() string {
	if a.Name == "tcg" {
		return "emulated: " + a.Why
	}
	return a.Name
}

func (a accelerator) arguments() []string {
	if a.Name == "kvm" {
		return []string{"-machine", "q35", "-accel", "kvm", "-cpu", "host"}
	}
	return []string{"-machine", "q35", "-accel", "tcg,thread=multi", "-cpu", "max"}
}

// trialTime is how long KVM may take to start a kernel; it takes about a second where it
// works.
const trialTime = 10 * time.Second

// findAccelerator starts the image's kernel on KVM: that the device is there and makes
// machines does not mean that they run. The outcome is kept until the computer boots again.
func findAccelerator(ctx context.Context, disk guestimage.Disk, progress func(string)) accelerator {
	keep := filepath.Join(filepath.Dir(string(disk)), "accelerator.json")
	now := accelerator{Boot: bootID()}
	if kept, ok := readAccelerator(keep); ok && kept.Boot == now.Boot {
		return kept
	}
	progress("finding out whether KVM runs a kernel")
	now.Name = "kvm"
	if err := tryKVM(ctx, disk); err != nil {
		now.Name, now.Why = "tcg", err.Error()
	}
	if data, err := json.Marshal(now); err == nil && ctx.Err() == nil {
		_ = os.WriteFile(keep, data, 0o600) // without it the next one tries again
	}
	return now
}

func readAccelerator(name string) (accelerator, bool) {
	var kept accelerator
	data, err := os.ReadFile(name)
	return kept, err == nil && json.Unmarshal(data, &kept) == nil && kept.Name != ""
}

func bootID() string {
	data, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return string(bytes.TrimSpace(data))
}

// tryKVM waits for the kernel's first words from the console.
func tryKVM(ctx context.Context, disk guestimage.Disk) error {
	if file, err := os.OpenFile("/dev/kvm", os.O_RDWR, 0); err != nil {
		return err
	} else if err := file.Close(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, trialTime, errors.New("KVM is there, but starts no kernel"))
	defer cancel()
	args := append([]string{"-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-m", "256", "-serial", "stdio"},
		accelerator{Name: "kvm"}.arguments()...)
	// A kernel without a root file system panics, and the trial ends with it.
	args = append(args, "-kernel", disk.Kernel(), "-append", "console=ttyS0 panic=-1")
	said, err := hostcmd.Run(ctx, emulator, args...)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return judge(said, err)
}

// judge also wants to read the kernel's last words: a processor that resets itself ends
// the trial too.
func judge(said string, err error) error {
	if err != nil {
		return err
	}
	if !strings.Contains(said, "Kernel panic") {
		return errors.New("KVM is there, but its kernel breaks off")
	}
	return nil
}
