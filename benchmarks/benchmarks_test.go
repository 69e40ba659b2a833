// Package benchmarks compares the client of this repository with others, and with none.
package benchmarks

import (
	"testing"

	"github.com/assistants-go/assistants/benchmarks/internal/workload"
)

func BenchmarkRetrieve(b *testing.B)            { benchmark(b, workload.Retrieve) }
func BenchmarkRetrieveUnannounced(b *testing.B) { benchmark(b, workload.RetrieveUnannounced) }
func BenchmarkList(b *testing.B)                { benchmark(b, workload.List) }
func BenchmarkCreate(b *testing.B)              { benchmark(b, workload.Create) }

func benchmark(b *testing.B, subject string) {
	for _, client := range workload.Clients(new(workload.Wire)) {
		b.Run(client.Name, func(b *testing.B) {
			workload.Measure(b, client.Operations[subject])
		})
	}
}
