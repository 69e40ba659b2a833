// Command footprint builds a minimal program with each client and prints, as a Markdown table, what the client costs
// who imports it: the size of the stripped binary, the CPU time of building the program where only the standard
// library was built before, and the modules that end up in the binary.
//
// Run it in the directory of this module.
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
)

func main() {
	peers := flag.Bool("peers", false, "build the programs of the other clients too; that takes minutes")
	check := flag.Bool("check", false, "exit with status 1 if a target is missed")
	flag.Parse()
	if flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	names := []string{"ours"}
	if *peers {
		names = append(names, "openai-go", "go-openai")
	}
	missed, err := run(names)
	if err != nil {
		fmt.Fprintln(os.Stderr, "footprint:", err)
		os.Exit(1)
	}
	if *check && missed {
		os.Exit(1)
	}
}

const maxBuildSeconds = 2.5 // of CPU time, for the first program

// run measures the named programs, the first of which has targets.
func run(names []string) (missed bool, err error) {
	fmt.Printf("%s, %s/%s\n\n", runtime.Version(), runtime.GOOS, runtime.GOARCH)
	fmt.Println("| client | stripped binary, MB | building it, CPU seconds | modules linked |")
	fmt.Println("|---|--:|--:|--:|")
	var ours footprint
	for i, name := range names {
		f, err := measure(name)
		if err != nil {
			return false, fmt.Errorf("%s: %w", name, err)
		}
		if i == 0 {
			ours = f
		}
		fmt.Printf("| %s | %.2f | %.2f | %d |\n", name, f.megabytes, f.cpuSeconds, f.modules)
	}
	streaming, err := size("ours-stream")
	if err != nil {
		return false, fmt.Errorf("ours-stream: %w", err)
	}
	fmt.Println()
	return printTargets(ours, streaming), nil
}

// printTargets reports whether one is missed. streaming are the megabytes of the program that reads a stream.
func printTargets(ours footprint, streaming float64) (missed bool) {
	fmt.Println("| target | at most | reached | |")
	fmt.Println("|---|--:|--:|---|")
	for _, t := range []struct {
		what       string
		limit, got float64
	}{
		{"stripped binary, MB", 7.0, ours.megabytes},
		{"the same of one that streams, MB", 7.0, streaming},
		{"building the first, CPU seconds", maxBuildSeconds, ours.cpuSeconds},
		{"modules linked", 2, float64(ours.modules)},
	} {
		verdict := "met"
		if t.got > t.limit {
			verdict, missed = "missed", true
		}
		fmt.Printf("| %s | %g | %.4g | %s |\n", t.what, t.limit, t.got, verdict)
	}
	return missed
}
