// Package given finds what tests compare with: folders that are no part of the project, which environment variables name.
package given

import (
	"os"
	"testing"
)

// Description is the variable with the folder of API descriptions.
const Description = "ASSISTANTS_SPEC"

// Folder returns the folder that a variable names. Without it there is nothing to compare with, and the test says so.
func Folder(t testing.TB, variable string) string {
	t.Helper()
	value := os.Getenv(variable)
	if value == "" {
		t.Skipf("%s is not set: nothing to compare with", variable)
	}
	return value
}
