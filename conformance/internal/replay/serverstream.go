package replay

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/assistants-go/assistants/assistantstest"
)

// compareStreams compares a stream of the server with the recorded one: the same events in the same order. What the
// rules see is a document of each, with the members event and data.
func (p Passed) compareStreams(recorded, got string, rules []rule) []string {
	want, err := frames(recorded)
	if err != nil {
		return []string{err.Error()}
	}
	events, err := frames(got)
	if err != nil {
		return []string{"the server's stream: " + err.Error()}
	}
	var found []string
	if len(want) != len(events) {
		found = append(found, fmt.Sprintf("got %d events, want %d: got %s, want %s",
			len(events), len(want), outline(events), outline(want)))
	}
	for i := range min(len(want), len(events)) {
		for _, line := range p.compare(want[i].document(), events[i].document(), rules) {
			found = append(found, fmt.Sprintf("event %d, %s: %s", i+1, want[i].name, line))
		}
	}
	if err := assistantstest.CheckStream(strings.NewReader(got)); err != nil {
		found = append(found, "the server's stream: "+err.Error())
	}
	return found
}

// document is an event as JSON.
func (f frame) document() []byte {
	data := []byte(f.data)
	if f.name == doneFrame {
		data = fmt.Appendf(nil, "%q", f.data)
	}
	return slices.Concat(fmt.Appendf(nil, `{"event":%q,"data":`, f.name), bytes.TrimSpace(data), []byte("}"))
}

// outline are the names of events. Those that come several times in a row are named once.
func outline(events []frame) string {
	var names []string
	for _, f := range events {
		if len(names) == 0 || names[len(names)-1] != f.name {
			names = append(names, f.name)
		}
	}
	return strings.Join(names, " ")
}
