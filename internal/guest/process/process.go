// Package process reads the container's process table and ends groups of processes.
// Only the guest program imports it.
package process

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Process is one line of the process table (proc(5), /proc/PID/stat).
type Process struct {
	PID, Parent int
	Group       int
	Foreground  int // process group in the foreground of its terminal; -1 without one
	Zombie      bool
}

// Table returns all processes that live now.
func Table() ([]Process, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, fmt.Errorf("read the process table: %w", err)
	}
	var all []Process
	for _, e := range entries {
		if pid, err := strconv.Atoi(e.Name()); err == nil {
			if p, err := Read(pid); err == nil { // else it has just ended
				all = append(all, p)
			}
		}
	}
	return all, nil
}

// Read returns one process.
func Read(pid int) (Process, error) {
	data, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return Process{}, fmt.Errorf("read process %d: %w", pid, err)
	}
	return parseStat(string(data))
}

// parseStat starts behind the last parenthesis: a program may put anything in its name.
func parseStat(stat string) (Process, error) {
	open, end := strings.IndexByte(stat, '('), strings.LastIndexByte(stat, ')')
	if open < 0 || end < open {
		return Process{}, errors.New("no process name in stat")
	}
	f := strings.Fields(stat[end+1:])
	if len(f) < 6 {
		return Process{}, errors.New("stat is short")
	}
	var n [4]int
	for i, s := range []string{strings.TrimSpace(stat[:open]), f[1], f[2], f[5]} {
		v, err := strconv.Atoi(s)
		if err != nil {
			return Process{}, fmt.Errorf("stat: %w", err)
		}
		n[i] = v
	}
	return Process{PID: n[0], Parent: n[1], Group: n[2], Foreground: n[3], Zombie: f[0] == "Z"}, nil
}

// Descendants returns the roots and all processes below them that live.
func Descendants(table []Process, roots ...int) []int {
	children := make(map[int][]int)
	alive := make(map[int]bool)
	for _, p := range table {
		children[p.Parent] = append(children[p.Parent], p.PID)
		alive[p.PID] = !p.Zombie
	}
	var found []int
	seen := make(map[int]bool)
	for queue := slices.Clone(roots); len(queue) > 0; queue = queue[1:] {
		pid := queue[0]
		if seen[pid] {
			continue
		}
		seen[pid] = true
		if alive[pid] {
			found = append(found, pid)
		}
		queue = append(queue, children[pid]...)
	}
	return found
}

// WithEnv returns the live processes that were started with the variable KEY=VALUE.
func WithEnv(table []Process, key, value string) []int {
	want := []byte(key + "=" + value)
	var found []int
	for _, p := range table {
		env, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(p.PID), "environ"))
		if err == nil && !p.Zombie && slices.ContainsFunc(bytes.Split(env, []byte{0}), func(kv []byte) bool {
			return bytes.Equal(kv, want)
		}) {
			found = append(found, p.PID)
		}
	}
	return found
}
