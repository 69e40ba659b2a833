package main

import (
	"bytes"
	"debug/buildinfo"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// A footprint is what a client costs the program that imports it.
type footprint struct {
	megabytes  float64 // of a million bytes
	cpuSeconds float64 // of the compiler and the linker, in the cheapest of several builds
	modules    int     // in the binary, without the program's own
}

// measure builds a program with a build cache that has nothing in it but the part of the standard library which the
// program needs: that is the same for all programs, and built once on every machine.
func measure(name string) (footprint, error) {
	dir, err := os.MkdirTemp("", "footprint")
	if err != nil {
		return footprint{}, err
	}
	defer os.RemoveAll(dir)
	program := "./footprint/programs/" + name
	binary := filepath.Join(dir, "program")
	cache := filepath.Join(dir, "cache")

	library, err := standardLibrary(program)
	if err != nil {
		return footprint{}, err
	}
	if _, err := build(cache, library...); err != nil {
		return footprint{}, err
	}
	spent, err := leastOfBuilds(cache, binary, program)
	if err != nil {
		return footprint{}, err
	}
	file, err := os.Stat(binary)
	if err != nil {
		return footprint{}, err
	}
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		return footprint{}, err
	}
	return footprint{float64(file.Size()) / 1e6, spent, len(info.Deps)}, nil
}

// Limits of building a program again and again, in CPU seconds.
const (
	usuallyBuilt = 10
	longestBuilt = 150
)

// leastOfBuilds are the CPU seconds of the cheapest of several builds, each with a copy of the cache: what else the
// machine does can only make one dearer, and may do so for minutes. So it is built on for as long as all miss the
// target. The binary of the build before is removed, or go build would not link it again.
func leastOfBuilds(cache, binary, program string) (least float64, err error) {
	least = math.Inf(1)
	for total := 0.0; total < usuallyBuilt || least > maxBuildSeconds && total < longestBuilt; {
		fresh := cache + "-copy"
		if err := errors.Join(os.RemoveAll(binary), os.CopyFS(fresh, os.DirFS(cache))); err != nil {
			return 0, err
		}
		spent, err := build(fresh, "-o", binary, program)
		if err := errors.Join(err, os.RemoveAll(fresh)); err != nil {
			return 0, err
		}
		total += spent.Seconds()
		least = min(least, spent.Seconds())
	}
	return least, nil
}

// size builds a program as measure does, with the cache that there is, and returns its megabytes.
func size(name string) (float64, error) {
	dir, err := os.MkdirTemp("", "footprint")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	binary := filepath.Join(dir, "program")
	if _, err := build("", "-o", binary, "./footprint/programs/"+name); err != nil {
		return 0, err
	}
	file, err := os.Stat(binary)
	if err != nil {
		return 0, err
	}
	return float64(file.Size()) / 1e6, nil
}

// standardLibrary lists the packages of the standard library that a program needs.
func standardLibrary(program string) ([]string, error) {
	out, err := exec.Command("go", "list", "-deps", "-f", "{{if .Standard}}{{.ImportPath}}{{end}}", program).Output()
	if err != nil {
		return nil, fmt.Errorf("go list %s: %w%s", program, err, stderr(err))
	}
	return strings.Fields(string(out)), nil
}

// build runs go build, with the user's cache if none is named, and returns the CPU time of it and of all processes that
// it started.
func build(cache string, args ...string) (time.Duration, error) {
	args = append([]string{"build", "-trimpath", "-ldflags=-s -w"}, args...)
	cmd := exec.Command("go", args...)
	if cache != "" {
		cmd.Env = append(os.Environ(), "GOCACHE="+cache)
	}
	var said bytes.Buffer
	cmd.Stderr = &said
	if err := cmd.Run(); err != nil {
		return 0, fmt.Errorf("go build: %w\n%s", err, said.String())
	}
	return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), nil
}

func stderr(err error) string {
	if exit, ok := err.(*exec.ExitError); ok {
		return "\n" + string(exit.Stderr)
	}
	return ""
}
