package server

import (
	"context"
	"encoding/csv"
	"errors"
	"io"
	"strings"
)

// csvText returns the records of a table with a header, with an empty line between them: every value that is not
// empty in a line behind the name of its column. So a record says what it is about wherever a chunk begins. It reports
// false for what is no such table, whose records have different lengths, or whose text would be too long.
func csvText(ctx context.Context, ending, text string) (string, bool) {
	in := csv.NewReader(contextReader{ctx, strings.NewReader(text)})
	in.Comma = separator(ending, text)
	header, err := in.Read()
	if err != nil {
		return "", false
	}
	for i, name := range header {
		if header[i] = strings.TrimSpace(name); header[i] != "" {
			header[i] += ": "
		}
	}
	in.ReuseRecord = true
	limit := max(maxExpansion*len(text), smallText)
	var out strings.Builder
	for {
		record, err := in.Read()
		if errors.Is(err, io.EOF) {
			return out.String(), out.Len() > 0
		}
		if err != nil || !writeRecord(&out, header, record, limit) {
			return "", false
		}
	}
}

// writeRecord writes a record as a block of lines, if it stays within a limit.
func writeRecord(out *strings.Builder, header, record []string, limit int) bool {
	empty := true
	for i, value := range record {
		value = strings.TrimSpace(value)
		if value == "" {
			continue
		}
		if out.Len()+len(header[i])+len(value)+2 > limit {
			return false
		}
		if empty && out.Len() > 0 {
			out.WriteByte('\n')
		}
		empty = false
		out.WriteString(header[i])
		out.WriteString(value)
		out.WriteByte('\n')
	}
	return true
}

// separator is what is between the fields of a table: for .csv whichever is most frequent in the header of the usual
// ones, for .tsv the tab.
func separator(ending, text string) rune {
	best, most := ',', 0
	if ending == ".tsv" {
		return '\t'
	}
	header, _, _ := strings.Cut(text, "\n")
	for _, c := range ",;\t" {
		if n := strings.Count(header, string(c)); n > most {
			best, most = c, n
		}
	}
	return best
}
