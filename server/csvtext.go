package server

import (
	"context"
	"encoding/csv"
	"errors"
	"io"
	"strings"
)

// maxRecord is how long a record of a table may be, in bytes. With more, as behind a quote that is never closed, it is none.
const maxRecord = 1 << 20

var errNoTable = errors.New("no table")

// csvText returns the records of a table with a header, with an empty line between them: every value that is not
// empty in a line behind the name of its column. So a record says what it is about wherever a chunk begins. It reports
// false for what is no such table, whose records have different lengths, or whose text would be too long.
func csvText(ctx context.Context, ending, text string) (string, bool) {
	size, limit := 0, longestText(text)
	err := eachRecord(ctx, ending, text, func(header, record []string) error {
		writeRecord(size > 0, header, record, func(part string) { size += len(part) })
		if size > limit {
			return errNoTable
		}
		return nil
	})
	if err != nil || size == 0 {
		return "", false
	}
	var out strings.Builder
	out.Grow(size) // which is known now, for headers may make much of a table
	err = eachRecord(ctx, ending, text, func(header, record []string) error {
		writeRecord(out.Len() > 0, header, record, func(part string) { out.WriteString(part) })
		return nil
	})
	return out.String(), err == nil
}

// eachRecord calls a function with the header of a table and each of its records, which it does not keep.
func eachRecord(ctx context.Context, ending, text string, do func(header, record []string) error) error {
	limited := &limitedReader{strings.NewReader(text), maxRecord, errNoTable}
	in := csv.NewReader(contextReader{ctx, limited})
	in.Comma = separator(ending, text)
	header, err := in.Read()
	if err != nil {
		return err
	}
	for i, name := range header {
		if header[i] = strings.TrimSpace(name); header[i] != "" {
			header[i] += ": "
		}
	}
	in.ReuseRecord = true
	for {
		limited.left = maxRecord
		record, err := in.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = do(header, record)
		}
		if err != nil {
			return err
		}
	}
}

// writeRecord writes a record as a block of lines, which may follow others.
func writeRecord(follows bool, header, record []string, write func(string)) {
	for i, value := range record {
		value = strings.TrimSpace(value)
		if value == "" {
			continue
		}
		if follows {
			write("\n")
			follows = false
		}
		write(header[i])
		write(value)
		write("\n")
	}
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
