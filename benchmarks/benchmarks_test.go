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
func BenchmarkMessages(b *testing.B)            { benchmark(b, workload.Messages) }
func BenchmarkStream(b *testing.B)              { benchmark(b, workload.Stream) }

func benchmark(b *testing.B, subject string) {
	wire, err := workload.Loopback()
	if err != nil {
		b.Fatal(err)
	}
	for _, client := range workload.Clients(wire) {
		if operation, ok := client.Operations[subject]; ok {
			b.Run(client.Name, func(b *testing.B) { workload.Measure(b, operation) })
		}
	}
}
