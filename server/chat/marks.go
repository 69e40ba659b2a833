package chat

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server"
)

// Marks begin and end with these characters.
const (
	markOpen, markClose = "【", "】"
	markName            = "†" // in front of the name of the file
)

// markSlack is how much longer than the mark of a result may be what the model writes for it, in bytes.
const markSlack = 32

// marks are those of results of searches, which stand in the text of an answer for places in files. The zero marks
// has none.
type marks struct {
	known   map[string]cited // by the number, such as "4:0"
	longest int              // in bytes
}

type cited struct {
	server.Citation
	name string
}

// add makes a mark known, by what it has for a number, whatever that is.
func (m *marks) add(mark, fileID string) {
	inside, _ := strings.CutSuffix(strings.TrimPrefix(mark, markOpen), markClose)
	number, name, _ := strings.Cut(inside, markName)
	if m.known == nil {
		m.known = map[string]cited{}
	}
	m.known[number] = cited{server.Citation{Mark: mark, FileID: fileID}, name}
	m.longest = max(m.longest, len(mark))
}

func (m *marks) addAll(place int, results []assistants.FileSearchResult) {
	for i := range results {
		m.add(markOf(place, i, results[i].FileName), results[i].FileID)
	}
}

// markOf is the mark of a result, as [server.SearchCall.Citation] has it.
func markOf(place, result int, name string) string {
	return fmt.Sprintf("%s%d:%d%s%s%s", markOpen, place, result, markName, name, markClose)
}

// labelOf is the mark of a result as the model is shown it. A name that would make it unclear, or that has what cannot
// be seen in it, is left out.
func labelOf(place, result int, name string) string {
	if strings.ContainsAny(name, markOpen+markClose+markName) || strconv.Quote(name) != `"`+name+`"` {
		return fmt.Sprintf("%s%d:%d%s", markOpen, place, result, markClose)
	}
	return markOf(place, result, name)
}

// find returns what the model cites by what it has written between the signs of a mark. The name may be missing, or
// be the word that models have learnt to write there; another one makes it unclear what is meant.
func (m *marks) find(inside string) (server.Citation, bool) {
	number, name, _ := strings.Cut(inside, markName)
	found, ok := m.known[strings.TrimSpace(number)]
	name = strings.TrimSpace(name)
	ok = ok && (name == "" || strings.EqualFold(name, found.name) || strings.EqualFold(name, "source"))
	return found.Citation, ok
}
